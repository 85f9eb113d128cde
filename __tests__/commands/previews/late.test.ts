/** What a run does about a preview that is closed under its hands. */
import { expect, it } from '@jest/globals'
import { deploy } from '../../../src/commands/deploy.ts'
import type { Run } from '../../../src/commands/run.ts'
import { sweep } from '../../../src/commands/sweep.ts'
import { RejectedError } from '../../../src/errors.ts'
import type { KubeObject } from '../../../src/manifest/object.ts'
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
