import { describe, expect, it } from '@jest/globals'
import { readImages } from '../../src/inputs/images.ts'
import { InputReader } from '../../src/inputs/reader.ts'
import { setImages } from '../../src/manifest/images.ts'
import { loadManifests } from '../../src/manifest/load.ts'
import { problemsOf } from './problems.ts'

const cluster = (name: string, spec: object, apiVersion = 'postgresql.cnpg.io/v1') => ({
  apiVersion,
  kind: 'Cluster',
  metadata: { name },
  spec,
})
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'a', image: 'app:1' }] },
}

function set(objects: readonly object[], ...lines: string[]) {
  const reader = new InputReader({ input: () => lines.join('\n') }, { images: '' })
  const requests = readImages(reader)
  expect(reader.problems).toEqual([])
  return setImages(
    loadManifests([{ path: 'a.yaml', text: objects.map((one) => JSON.stringify(one)).join('\n---\n') }]),
    requests,
  )
}
const reject = (objects: readonly object[], ...lines: string[]) => problemsOf(() => set(objects, ...lines))

const LINE = 'Cluster.postgresql.cnpg.io:spec.imageName=reg.io/pg:16'

describe('an image in a field that is named', () => {
  it('is put into every object of the kind that has the field', () => {
    const objects = [
      cluster('one', { imageName: 'reg.io/pg:15' }),
      cluster('two', { imageName: null }),
      cluster('three', {}),
    ]
    const { manifests, changes } = set(objects, LINE)
    expect(manifests.map(({ object }) => object['spec'])).toEqual([
      { imageName: 'reg.io/pg:16' },
      { imageName: 'reg.io/pg:16' },
      {},
    ])
    expect(changes).toEqual([
      {
        object: { apiVersion: 'postgresql.cnpg.io/v1', kind: 'Cluster', name: 'one' },
        container: 'spec.imageName',
        from: 'reg.io/pg:15',
        to: 'reg.io/pg:16',
      },
      {
        object: { apiVersion: 'postgresql.cnpg.io/v1', kind: 'Cluster', name: 'two' },
        container: 'spec.imageName',
        to: 'reg.io/pg:16',
      },
    ])
  })

  it('is put into every item of a list, and into one', () => {
    const spec = { parts: [{ image: 'a' }, { name: 'none' }, { image: 'b' }], others: ['c', 'd'] }
    const { manifests } = set(
      [cluster('one', spec)],
      'Cluster.postgresql.cnpg.io:spec.parts[*].image=app:1',
      'Cluster.postgresql.cnpg.io:spec.others[1]=app:2',
    )
    expect(manifests[0]?.object['spec']).toEqual({
      parts: [{ image: 'app:1' }, { name: 'none' }, { image: 'app:1' }],
      others: ['c', 'app:2'],
    })
  })

  it('leaves kinds of the same name in other groups alone, and what the manifests were', () => {
    const other = cluster('one', { imageName: 'reg.io/pg:15' }, 'example.com/v1')
    const { manifests } = set([other, cluster('two', { imageName: 'x' })], LINE)
    expect(manifests[0]?.object).toEqual(other)
  })

  it('goes beside lines of the other forms', () => {
    const { changes } = set([pod, cluster('one', { imageName: 'app:1' })], 'app:2', LINE)
    expect(changes.map(({ container, to }) => `${container}=${to}`)).toEqual(['a=app:2', 'spec.imageName=reg.io/pg:16'])
  })
})

describe('a line with a field is refused', () => {
  it.each([
    [
      'whose kind is not there',
      [pod],
      'is for Cluster.postgresql.cnpg.io, and the manifests have only Pod',
      'with its group',
    ],
    [
      'whose kind is there in another group',
      [cluster('one', { imageName: 'x' }, 'example.com/v1')],
      'the manifests have only Cluster.example.com',
      'with its group',
    ],
    [
      'whose field is not there, with what is',
      [cluster('one', { instances: 3, storage: {} })],
      'matches nothing: Cluster one has at spec instances, storage',
      'that is listed',
    ],
    ['that leads into nothing', [cluster('one', {})], 'Cluster one has at spec no fields', 'that is listed'],
  ])('%s', (_, objects, message, hint) => {
    expect(reject(objects, LINE)).toMatchObject([
      { code: 'ImageNotMatched', message: expect.stringContaining(message), hint: expect.stringContaining(hint) },
    ])
  })

  it.each([
    ['a mapping', { repository: 'reg.io/pg', tag: '15' }],
    ['a list', ['reg.io/pg:15']],
    ['a number', 15],
  ])('that leads to %s', (_, imageName) => {
    expect(reject([cluster('one', { imageName })], LINE)).toMatchObject([
      {
        code: 'InvalidInput',
        message: `images: "${LINE}" is for spec.imageName of Cluster one, which is no text`,
        hint: expect.stringContaining('split into repository and tag'),
        at: { file: 'a.yaml', line: 1 },
      },
    ])
  })

  it('that names the place of a container of another line', () => {
    const rollout = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      metadata: { name: 'web' },
      spec: { template: { spec: { containers: [{ name: 'a', image: 'app:1' }] } } },
    }
    expect(
      reject([rollout], 'app:2', 'Rollout.argoproj.io:spec.template.spec.containers[*].image=app:3'),
    ).toMatchObject([
      { code: 'InvalidInput', message: expect.stringContaining('are both for spec.template.spec.containers[0].image') },
    ])
  })
})
