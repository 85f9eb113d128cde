import { describe, expect, it } from '@jest/globals'
import { readImages } from '../../src/inputs/images.ts'
import { InputReader } from '../../src/inputs/reader.ts'

function read(line: string) {
  const reader = new InputReader({ input: () => line }, { images: '' })
  const requests = readImages(reader)
  expect(reader.problems).toEqual([])
  return requests
}

const SHA = `sha256:${'0f'.repeat(32)}`
const PG = { groupKind: 'Cluster.postgresql.cnpg.io', path: ['spec', 'imageName'] }

describe('a line of images', () => {
  it.each([
    ['app:1', { reference: 'app:1' }],
    ['web=app:1', { name: 'web', reference: 'app:1' }],
    ['web = app', { name: 'web', reference: 'app' }],
    ['reg:5000/app:1=app:2', { name: 'reg:5000/app:1', reference: 'app:2' }],
    ['IMAGE=app:1', { name: 'IMAGE', reference: 'app:1' }],
    ['IMAGE:TAG=app:1', { name: 'IMAGE:TAG', reference: 'app:1' }],
    ['REG.example.com:5000/app=app:1', { name: 'REG.example.com:5000/app', reference: 'app:1' }],
    [`app:1@${SHA}`, { reference: `app:1@${SHA}` }],
    ['app:1@resolve', { reference: 'app:1', toDigest: true }],
    ['web=reg:5000/app:1@resolve', { name: 'web', reference: 'reg:5000/app:1', toDigest: true }],
    ['Cluster.postgresql.cnpg.io:spec.imageName=pg:16', { field: PG, reference: 'pg:16' }],
    ['Cluster.postgresql.cnpg.io:spec.imageName=pg:16@resolve', { field: PG, reference: 'pg:16', toDigest: true }],
    [
      'Rollout.argoproj.io:spec.items[*].parts[0].image=app:1',
      {
        field: { groupKind: 'Rollout.argoproj.io', path: ['spec', 'items', '*', 'parts', 0, 'image'] },
        reference: 'app:1',
      },
    ],
  ])('%s', (line, expected) => {
    expect(read(line)).toEqual([{ ...expected, line }])
  })
})
