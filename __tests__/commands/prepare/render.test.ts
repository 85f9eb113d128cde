import { describe, expect, it } from '@jest/globals'
import { render } from '../../../src/commands/prepare/render.ts'
import type { Run } from '../../../src/commands/run.ts'
import type { ChartFacts } from '../../../src/ports.ts'
import { createMemoryCluster, type MemoryCluster } from '../../fakes/memory-cluster.ts'
import { releaseRecord } from '../../release/records.ts'
import { createRun, recordsOf } from '../runs.ts'

const CHART = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
# Source: shop/templates/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app.kubernetes.io/managed-by: Helm}}
spec:
  template: {spec: {containers: [{name: app, image: "registry.example/shop/web:v1"}]}}
`
const MIGRATION = `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
spec:
  template: {spec: {containers: [{name: app, image: "registry.example/shop/web:v1"}]}}
`

/** A run whose renderer prints this text, and asks about the release as for a chart if it is to. */
function rendering(text: string, cluster: MemoryCluster, { asks = false } = {}) {
  const asked: ChartFacts[] = []
  const { run, log } = createRun(cluster, { images: 'registry.example/shop/web:v2' })
  const changed: Run = {
    ...run,
    renderer: {
      render: async (_sources, facts) => {
        if (asks) asked.push(await facts())
        return [{ path: 'helm template chart', text }]
      },
    },
  }
  return { run: changed, log, asked }
}

describe('what was rendered', () => {
  it('gets the images, in hooks too', async () => {
    const cluster = createMemoryCluster()
    await recordsOf(cluster).create(releaseRecord({ revision: 1, status: 'good' }))
    const { desired } = await render(rendering(CHART + '---' + MIGRATION, cluster).run)
    expect(desired.map(({ object: { kind, metadata } }) => `${kind} ${metadata.name}`)).toEqual([
      'ConfigMap settings',
      'Deployment web',
      'Job migrate',
    ])
    const text = JSON.stringify(desired)
    expect(text.match(/registry.example\/shop\/web:v2/g)).toHaveLength(2)
    expect(text).not.toContain('web:v1')
    expect(desired[2]?.object.metadata.annotations).toMatchObject({ 'rollsafe.dev/hook': 'pre-deploy' })
  })

  it('is asked about nothing, unless there is a chart or a hook', async () => {
    const cluster = createMemoryCluster()
    await render(rendering(CHART, cluster).run)
    expect(cluster.requests).toEqual([])
  })

  it('is an installation until a revision is good, and an upgrade from then on', async () => {
    const cluster = createMemoryCluster()
    const first = rendering(CHART + '---' + MIGRATION, cluster, { asks: true })
    const { desired } = await render(first.run)
    expect(first.asked).toMatchObject([{ release: 'shop', namespace: 'shop', isUpgrade: false }])
    expect(desired).toHaveLength(2)
    expect(first.log).toContain('left out, as this is an installation (no revision was good yet): Job migrate')
    // Once for both, the chart and the hooks.
    expect(cluster.requests.filter((request) => request.startsWith('list'))).toHaveLength(1)

    await recordsOf(cluster).create(releaseRecord({ revision: 1, status: 'good' }))
    const next = rendering(CHART + '---' + MIGRATION, cluster, { asks: true })
    expect((await render(next.run)).desired).toHaveLength(3)
    expect(next.asked).toMatchObject([{ isUpgrade: true, kubernetes: { version: 'v1.37.2' } }])
  })

  it('may have an image that only a hook has which is left out', async () => {
    const cluster = createMemoryCluster()
    const { run } = rendering(MIGRATION + '---' + CHART.replace('shop/web', 'shop/other'), cluster)
    expect((await render(run)).desired).toHaveLength(2)
  })
})
