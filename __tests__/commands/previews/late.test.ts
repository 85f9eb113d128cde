/** What a run does about a preview that is closed under its hands. */
import { expect, it } from '@jest/globals'
import { deploy } from '../../../src/commands/deploy.ts'
import { earlyEndReport } from '../../../src/commands/early-end.ts'
import type { Run } from '../../../src/commands/run.ts'
import { sweep } from '../../../src/commands/sweep.ts'
import { ClusterError, RejectedError } from '../../../src/errors.ts'
import { type KubeObject, refOf } from '../../../src/manifest/object.ts'
import type { PullRequest } from '../../../src/ports.ts'
import { createMemoryCluster, type MemoryCluster } from '../../fakes/memory-cluster.ts'
import { createRun } from '../runs.ts'

const HEAD = 'a1'.repeat(20)
const OPEN: PullRequest = { state: 'open', headSha: HEAD, repositoryId: 4711 }
const CONFIG: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { a: '1' } }

/** A run on pull request 12, to which GitHub answers in this order; the last answer stays. */
function previewRun(cluster: MemoryCluster, answers: readonly PullRequest[]): Run {
  const { run } = createRun(cluster, { namespace: '' }, [CONFIG])
  const preview = { repositoryId: 4711, pullRequest: 12, headSha: HEAD, ttlSeconds: 3600 }
  let asked = 0
  const pullRequest = (): Promise<PullRequest> => {
    const answer = answers[Math.min(asked, answers.length - 1)]
    asked += 1
    return answer ? Promise.resolve(answer) : Promise.reject(new Error('no answer'))
  }
  const github = { upsertComment: () => Promise.reject(new Error('nobody was to comment')), pullRequest }
  const name = 'shop-pr-12'
  const swept = { repositoryId: 4711, mostPreviews: 20 }
  return { ...run, github, inputs: { ...run.inputs, preview, sweep: swept, release: name, namespace: name } }
}

const left = (cluster: MemoryCluster) => [...cluster.objects().values()].filter(({ kind }) => kind !== 'Lease')
const writes = (cluster: MemoryCluster) => cluster.requests.filter((one) => /^(apply|create|replace)/.test(one))

it('takes its namespace back when the pull request is closed while it prepares', async () => {
  const cluster = createMemoryCluster()
  const report = await deploy(previewRun(cluster, [OPEN, { ...OPEN, state: 'closed' }]))
  expect(report).toMatchObject({ outcome: 'superseded', changed: false, message: 'pull request #12 is closed' })
  expect(left(cluster)).toEqual([])
})

it.each<[string, PullRequest, string]>([
  ['is closed', { ...OPEN, state: 'closed' }, 'pull request #12 is closed'],
  ['has another head', { ...OPEN, headSha: 'b2'.repeat(20) }, 'pull request #12 is at b2b2b2b by now'],
  ['is of another repository', { ...OPEN, repositoryId: 1 }, 'pull request #12 is of another repository'],
])('writes nothing when the pull request %s', async (_name, answer, message) => {
  const cluster = createMemoryCluster()
  const report = await deploy(previewRun(cluster, [answer]))
  expect(report).toMatchObject({ outcome: 'superseded', changed: false })
  expect(report.message).toContain(message)
  expect(writes(cluster)).toEqual([])
})

it.each<[string, PullRequest, object]>([
  ['closed', { ...OPEN, state: 'closed' }, { outcome: 'superseded', message: 'pull request #12 is closed' }],
  ['still open', OPEN, { outcome: 'rejected', message: expect.stringContaining('"shop-pr-12" not found') }],
])(
  'tells why when its namespace is gone by the time it has the lock, and the pull request is %s',
  async (_name, answer, end) => {
    const home = preview(12)
    const cluster = createMemoryCluster([home])
    cluster.onRequest = (request) => {
      if (!request.startsWith('create Lease')) return
      cluster.drop(refOf(home))
      const missing = { status: 404, reason: 'NotFound', request, kind: 'namespaces' }
      throw new ClusterError('namespaces "shop-pr-12" not found', missing)
    }
    const run = previewRun(cluster, [OPEN, answer])
    const report = await deploy(run).catch((error) => earlyEndReport(error, run))
    expect(report).toMatchObject({ ...end, changed: false })
    expect(left(cluster)).toEqual([])
    expect(writes(cluster)).toEqual(['create Lease shop-pr-12/rollsafe.shop-pr-12'])
  },
)

it('writes nothing without an answer', async () => {
  const cluster = createMemoryCluster()
  await expect(deploy(previewRun(cluster, []))).rejects.toBeInstanceOf(RejectedError)
  expect(writes(cluster)).toEqual([])
})

const preview = (number: number, repository = '4711'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: `shop-pr-${number}`,
    labels: {
      'rollsafe.dev/preview-repository': repository,
      'rollsafe.dev/preview-pull-request': String(number),
      'rollsafe.dev/release': `shop-pr-${number}`,
      'rollsafe.dev/release-namespace': `shop-pr-${number}`,
    },
  },
})

it.each<[string, PullRequest[]]>([
  ['does not answer', []],
  ['answers for another repository', [{ ...OPEN, state: 'closed', repositoryId: 1 }]],
])('sweeps nothing when GitHub %s', async (_name, answers) => {
  const cluster = createMemoryCluster([preview(1), preview(2)])
  await expect(sweep(previewRun(cluster, answers))).rejects.toBeInstanceOf(RejectedError)
  expect(left(cluster)).toHaveLength(2)
})

it('does not even look at the previews of another repository', async () => {
  const cluster = createMemoryCluster([preview(1, '4712')])
  const report = await sweep(previewRun(cluster, [{ ...OPEN, state: 'closed' }]))
  expect(report).toMatchObject({
    outcome: 'removed',
    changed: false,
    message: 'no preview was deleted; 0 previews stay',
  })
  expect(cluster.requests).toEqual(['list Namespace'])
})
