import { describe, expect, it } from '@jest/globals'
import { resolveImages } from '../../../src/commands/prepare/resolve-images.ts'
import { RejectedError } from '../../../src/errors.ts'
import type { ImageRequest } from '../../../src/inputs/images.ts'
import { createMemoryCluster } from '../../fakes/memory-cluster.ts'
import { problemsOfAsync } from '../../manifest/problems.ts'
import { createRun } from '../runs.ts'

const DIGEST = `sha256:${'0f'.repeat(32)}`
const plain: ImageRequest = { reference: 'app:1', line: 'app:1' }
const resolved = (reference: string, more: object = {}): ImageRequest => ({
  ...more,
  reference,
  toDigest: true,
  line: `${reference}@resolve`,
})

function prepare(answer: (reference: string) => Promise<string>) {
  const { run, log } = createRun(createMemoryCluster([]))
  const asked: string[] = []
  const registry = {
    resolve: (reference: string) => {
      asked.push(reference)
      return answer(reference)
    },
  }
  return { log, asked, resolve: (...requests: ImageRequest[]) => resolveImages(requests, { ...run, registry }) }
}

describe('images with a tag to resolve', () => {
  it('get the digest behind their tag, each reference asked for once, and it is told', async () => {
    const { resolve, asked, log } = prepare(() => Promise.resolve(DIGEST))
    const requests = await resolve(plain, resolved('web:1'), resolved('web:1', { name: 'other' }), resolved('api:2'))
    expect(requests.map(({ name, reference }) => `${name ?? ''}=${reference}`)).toEqual([
      '=app:1',
      `=web:1@${DIGEST}`,
      `other=web:1@${DIGEST}`,
      `=api:2@${DIGEST}`,
    ])
    expect(asked).toEqual(['web:1', 'api:2'])
    expect(log).toEqual([`web:1 is ${DIGEST}`, `api:2 is ${DIGEST}`])
  })

  it('ask no registry when there are none', async () => {
    const { resolve, asked } = prepare(() => Promise.reject(new Error('not to be asked')))
    expect(await resolve(plain)).toEqual([plain])
    expect(asked).toEqual([])
  })

  it('are all told when they cannot be resolved', async () => {
    const { resolve } = prepare((reference) =>
      Promise.reject(new RejectedError([{ code: 'ImagePull', message: `no ${reference}`, hint: 'push it' }])),
    )
    const problems = await problemsOfAsync(() => resolve(resolved('web:1'), plain, resolved('api:2')))
    expect(problems.map(({ message }) => message)).toEqual([
      'images: web:1 cannot be resolved: no web:1',
      'images: api:2 cannot be resolved: no api:2',
    ])
  })

  it('do not hide what is no problem of the release', async () => {
    const { resolve } = prepare(() => Promise.reject(new TypeError('a defect')))
    await expect(resolve(resolved('web:1'))).rejects.toThrow(TypeError)
  })
})
