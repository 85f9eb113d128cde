import { describe, expect, it } from '@jest/globals'
import { parseImageReference, repositoryOf } from '../../src/manifest/image-reference.ts'

const SHA = `sha256:${'a1'.repeat(32)}`

describe('parseImageReference', () => {
  it.each([
    ['nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['nginx:1.25', 'docker.io', 'library/nginx', '1.25', undefined],
    ['docker.io/nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['index.docker.io/library/nginx:1', 'docker.io', 'library/nginx', '1', undefined],
    ['bitnami/redis:7', 'docker.io', 'bitnami/redis', '7', undefined],
    ['localhost/app', 'localhost', 'app', undefined, undefined],
    ['localhost:5000/app:1', 'localhost:5000', 'app', '1', undefined],
    ['reg:5000/app', 'reg:5000', 'app', undefined, undefined],
    ['reg:5000/team/app:v1', 'reg:5000', 'team/app', 'v1', undefined],
    [`reg.example.com/app@${SHA}`, 'reg.example.com', 'app', undefined, SHA],
    [`reg.example.com:443/a/b/c:1.2.3-rc.1@${SHA}`, 'reg.example.com:443', 'a/b/c', '1.2.3-rc.1', SHA],
    ['ghcr.io/Owner', undefined, undefined, undefined, undefined],
    ['Host/app:1', 'Host', 'app', '1', undefined],
    ['[2001:db8::1]:5000/app:1', '[2001:db8::1]:5000', 'app', '1', undefined],
    ['app:5000', 'docker.io', 'library/app', '5000', undefined],
    ['a__b/c-d--e.f:_x', 'docker.io', 'a__b/c-d--e.f', '_x', undefined],
    ['123', 'docker.io', 'library/123', undefined, undefined],
  ])('%s', (text, registry, path, tag, digest) => {
    const expected =
      registry === undefined ? undefined : { registry, path, ...(tag && { tag }), ...(digest && { digest }) }
    expect(parseImageReference(text)).toEqual(expected)
  })

  const NONE = [
    '',
    ' ',
    ' nginx',
    'nginx ',
    'nginx:',
    'nginx:1.25:2',
    ':1.25',
    'IMAGE',
    'Nginx:1',
    'nginx@',
    'nginx@sha256:abc',
    `nginx@SHA256:${'a1'.repeat(32)}`,
    `nginx@${SHA}:tag`,
    `nginx@${SHA}@${SHA}`,
    `nginx@${SHA.toUpperCase()}`,
    'nginx:-tag',
    `nginx:${'t'.repeat(129)}`,
    '/nginx',
    'nginx/',
    'a//b',
    'reg:port/app',
    'reg:5000/',
    'a_-b',
    'a...b',
    '-a',
    'a-',
    '${IMAGE}',
    '{{ .Values.image }}',
    'https://reg.example.com/app',
    'nginx\n:1',
    'ngínx',
    'a'.repeat(300),
    'a'.repeat(5_000_000),
    `reg.${'a-'.repeat(500_000)}/x`,
  ]
  it.each(NONE.map((text) => [text.slice(0, 40), text]))('%j is none', (_, text = '') => {
    expect(parseImageReference(text)).toBeUndefined()
  })
})

describe('repositoryOf', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx:1.25'],
    ['library/nginx:2', 'index.docker.io/nginx'],
    ['reg:5000/app:1', `reg:5000/app@${SHA}`],
  ])('of %s and %s is the same', (one, other) => {
    const repositories = [one, other].map((text) => {
      const parsed = parseImageReference(text)
      return parsed && repositoryOf(parsed)
    })
    expect(repositories[0]).toBeDefined()
    expect(repositories[0]).toBe(repositories[1])
  })

  it.each([
    ['reg:5000/app', 'reg/app'],
    ['reg:5000/app', 'reg:5001/app'],
    ['app', 'other/app'],
    ['app', 'apps'],
  ])('of %s and %s is another', (one, other) => {
    const [first, second] = [one, other].map(parseImageReference)
    if (!first || !second) throw new Error('they are references')
    expect(repositoryOf(first)).not.toBe(repositoryOf(second))
  })
})
