import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestbed, type Testbed } from '../../testbed/testbed.ts'
import { app, IMAGE } from './manifests.ts'
import { createCheckout, type RunResult } from './rollsafe.ts'
import { createNamespace, type TestNamespace } from './testbed.ts'

describe('when the API server goes away in the middle of a rollout', () => {
  // A control plane of its own: the other tests need theirs.
  let cluster: Testbed
  let namespace: TestNamespace
  beforeAll(async () => {
    cluster = await startTestbed({ nodes: 1 })
  })
  afterAll(() => cluster.stop())

  /** Deploys v1, then `tag`, and calls `onFollowing` as soon as the rollout of it is followed. */
  async function deploy(
    tag: string,
    inputs: Record<string, string>,
    onFollowing: () => Promise<void>,
  ): Promise<RunResult> {
    namespace = await createNamespace('outage', cluster)
    await using checkout = await createCheckout({ 'k8s/app.yaml': app({ deadlineSeconds: 60 }) })
    const given = { namespace: namespace.name, ...inputs }
    expect(await checkout.run(given)).toMatchObject({ exitCode: 0 })
    let outage: Promise<void> | undefined
    const result = await checkout.run(
      { ...given, images: `${IMAGE}:${tag}` },
      { onLog: (log) => (outage ??= /out of 2 new replicas/.test(log) ? onFollowing() : undefined) },
    )
    expect(outage).toBeDefined()
    await outage
    return result
  }

  it('and comes back, the release is judged by what it then is', async () => {
    const result = await deploy('v2-slow-4s', {}, async () => {
      await cluster.stopApiServer()
      await cluster.startApiServer()
    })
    expect(result).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
    expect(result.log).toMatch(/the cluster cannot be observed.*\n[\s\S]*the cluster can be observed again/)
  })

  it('and does not come back in time, the outcome is unknown and nothing is rolled back', async () => {
    const result = await deploy('v2-slow-4s', { timeout: '6s' }, () => cluster.stopApiServer())
    await cluster.startApiServer()
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'unknown', reason: 'ClusterUnreachable' } })
    expect(result.log).not.toContain('Roll back')
    const { spec } = await namespace.get<{ spec: { template: { spec: { containers: { image: string }[] } } } }>(
      'deployment',
      'web',
    )
    expect(spec.template.spec.containers[0]?.image).toBe(`${IMAGE}:v2-slow-4s`)
  })
})
