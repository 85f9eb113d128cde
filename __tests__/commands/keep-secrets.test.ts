import { describe, expect, it } from '@jest/globals'
import {
  discreetCluster,
  discreetRecords,
  hideSettings,
  keepSecrets,
  spareNames,
} from '../../src/commands/keep-secrets.ts'
import { render } from '../../src/commands/prepare/render.ts'
import { RejectedError } from '../../src/errors.ts'
import { type KubeObject, refOf } from '../../src/manifest/object.ts'
import { RELEASE_LABEL } from '../../src/plan/desired.ts'
import { createRedactor, type Redactor } from '../../src/secrets/redactor.ts'
import { createMemoryCluster } from '../fakes/memory-cluster.ts'
import { releaseRecord } from '../release/records.ts'
import { createRun, recordsOf } from './runs.ts'

const WORDS = ['first-value', 'second-value', 'third-value', 'fourth-value']

const secret = (value: string, name = 'db'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'shop', labels: { [RELEASE_LABEL]: 'shop' } },
  data: { a: Buffer.from(value).toString('base64') },
})

/** Which of the words are hidden. */
const hiddenBy = (redactor: Redactor): string[] => WORDS.filter((word) => redactor.redact(word) === '***')

/** A run that keeps secrets as the real one does. */
function keepingRun(...[cluster, inputs, manifests]: Parameters<typeof createRun>) {
  const redactor = createRedactor()
  const { run, log } = createRun(cluster, inputs, manifests)
  const runner = { ...run.runner, hide: redactor.hide, spare: redactor.spare }
  return { run: { ...run, runner, cluster: discreetCluster(cluster, runner) }, runner, redactor, log }
}

describe('secrets are hidden', () => {
  it('of manifests, as soon as they are rendered', async () => {
    const { run, redactor } = keepingRun(createMemoryCluster(), {}, [secret('first-value')])
    await render(run)
    expect(hiddenBy(redactor)).toEqual(['first-value'])
  })

  it('of manifests that cannot be read', async () => {
    const { run, redactor } = keepingRun(createMemoryCluster())
    const text = 'kind: Secret\nstringData:\n  a: first-value\n  b: *second-value\n'
    const renderer = { render: () => Promise.resolve([{ path: 'k8s/a.yaml', text }]) }
    const error = await render({ ...run, renderer }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RejectedError)
    expect(String(error)).toContain('second-value')
    expect(redactor.redact(String(error))).not.toContain('second-value')
    expect(hiddenBy(redactor)).toEqual(['first-value'])
  })

  it('of live objects, however they are read', async () => {
    const cluster = createMemoryCluster([secret('first-value')])
    const { run, redactor } = keepingRun(cluster)
    await run.cluster.get(refOf(secret('')))
    expect(hiddenBy(redactor)).toEqual(['first-value'])

    cluster.put(secret('second-value'))
    await run.cluster.list({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop' })
    expect(hiddenBy(redactor)).toEqual(['first-value', 'second-value'])

    cluster.put(secret('third-value'))
    const watching = new AbortController()
    const query = { apiVersion: 'v1', kind: 'Secret', namespace: 'shop' }
    for await (const { type } of run.cluster.watch(query, { signal: watching.signal })) if (type === 'listed') break
    watching.abort()
    expect(hiddenBy(redactor)).toEqual(['first-value', 'second-value', 'third-value'])

    await run.cluster.create(secret('fourth-value', 'other'))
    expect(hiddenBy(redactor)).toEqual(WORDS)
  })

  it('of records, what was written over included', async () => {
    const cluster = createMemoryCluster()
    const writes = [
      {
        type: 'update' as const,
        ref: refOf(secret('')),
        before: secret('second-value'),
        after: secret('third-value'),
      },
    ]
    const record = releaseRecord({ revision: 1, objects: [{ object: secret('first-value') }], writes })
    await recordsOf(cluster).create(record)
    const { runner, redactor } = keepingRun(cluster)
    const records = discreetRecords(recordsOf(cluster), runner)
    const [head] = await records.list()
    expect(hiddenBy(redactor)).toEqual([])
    if (head) await records.read(head)
    expect(hiddenBy(redactor)).toEqual(['first-value', 'second-value', 'third-value'])
  })
})

describe('what everybody prints is shown', () => {
  it('though a Secret holds it: names of this run, of its objects, and common words', () => {
    const { run, runner, redactor } = keepingRun(createMemoryCluster(), { release: 'first-value' })
    spareNames(run)
    const shown = ['first-value', 'acme/shop', '4bc1d0e6f0a97f6f3b7f5a4d4e1a63b1f9c0a7d2', 'production', 'rolled-back']
    keepSecrets(
      [...shown, 'second-value'].map((value) => ({ object: secret(value, 'third-value') })),
      runner,
    )
    expect(redactor.redact(shown.join(' '))).toBe(shown.join(' '))
    expect(redactor.redact('second-value in third-value')).toBe('*** in third-value')
  })
})

it('hides the values for a chart whose keys say that they are secret', () => {
  const set = 'db.password=first-value\nregion=second-value\nauth.apiKey=third-value'
  const { run, runner, redactor } = keepingRun(createMemoryCluster(), { 'helm-chart': 'charts/shop', 'helm-set': set })
  hideSettings(run.inputs, runner)
  expect(hiddenBy(redactor)).toEqual(['first-value', 'third-value'])
})
