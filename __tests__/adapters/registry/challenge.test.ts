import { describe, expect, it } from '@jest/globals'
import { parseChallenges } from '../../../src/adapters/registry/challenge.ts'

const read = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, ...Object.fromEntries(parameters) }))

describe('the challenges of WWW-Authenticate', () => {
  it.each([
    ['', []],
    ['Basic realm="Registry"', [{ scheme: 'basic', realm: 'Registry' }]],
    ['BASIC', [{ scheme: 'basic' }]],
    [
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:shop/web:pull,push"',
      [
        {
          scheme: 'bearer',
          realm: 'https://auth.example/token',
          service: 'registry.example',
          scope: 'repository:shop/web:pull,push',
        },
      ],
    ],
    ['bearer Realm = "a" , SERVICE=b', [{ scheme: 'bearer', realm: 'a', service: 'b' }]],
    [
      'Negotiate, Basic realm="one, two", Bearer realm="x=y"',
      [{ scheme: 'negotiate' }, { scheme: 'basic', realm: 'one, two' }, { scheme: 'bearer', realm: 'x=y' }],
    ],
    ['Basic realm="say \\"hello\\""', [{ scheme: 'basic', realm: 'say "hello"' }]],
    ['Basic realm="never ends', [{ scheme: 'basic' }]],
    ['"quoted" Bearer realm="x"', []],
  ])('%s', (header, expected) => {
    expect(read(header)).toEqual(expected)
  })
})
