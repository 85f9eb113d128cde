import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { watchAskedPods } from './asked-pods.ts'
import { documents, deployment, IMAGE } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { replicaSets, snapshot } from './snapshot.ts'
import { withNamespace } from './testbed.ts'

interface Workload extends KubeObject {
  spec: { strategy: object }
}

const release = (tag: string) => documents([deployment('web', { tag, replicas: 4 })])

describe('a strategy', () => {
  it.each<[string, Record<string, string>, object, { leastAvailable: number; mostTotal: number }]>([
    [
      'parallel',
      { strategy: 'parallel' },
      { type: 'RollingUpdate', rollingUpdate: { maxSurge: '100%', maxUnavailable: 0 } },
      { leastAvailable: 4, mostTotal: 8 },
    ],
    [
      'sequential',
      { strategy: 'sequential' },
      { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      { leastAvailable: 4, mostTotal: 5 },
    ],
    [
      'rolling',
      { strategy: 'rolling', 'max-surge': '0', 'max-unavailable': '50%' },
      { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '50%' } },
      { leastAvailable: 2, mostTotal: 4 },
    ],
    ['recreate', { strategy: 'recreate' }, { type: 'Recreate' }, { leastAvailable: 0, mostTotal: 4 }],
  ])('%s rolls out within its bounds, and is taken back with the release', (_name, inputs, strategy, planned) =>
    withNamespace('strategy', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const before = await snapshot(namespace)
      const running = (await replicaSets(namespace)).filter((hash) => hash.startsWith('+'))

      await checkout.write('k8s/app.yaml', release('v2-unpullable'))
      const bad = await checkout.run({ namespace: namespace.name, ...inputs })
      expect({ ...bad.outputs, log: bad.log }).toMatchObject({ outcome: 'rolled-back', reason: 'ImagePull' })
      expect(await snapshot(namespace)).toEqual(before)
      expect((await replicaSets(namespace)).filter((hash) => hash.startsWith('+'))).toEqual(running)

      await checkout.write('k8s/app.yaml', release('v3'))
      await using asked = await watchAskedPods(namespace, 'web')
      const good = await checkout.run({ namespace: namespace.name, ...inputs })
      expect({ ...good.outputs, log: good.log }).toMatchObject({ outcome: 'deployed' })
      expect((await namespace.get<Workload>('deployment', 'web')).spec.strategy).toEqual(strategy)
      const [{ bounds } = {}] = good.report.workloads
      expect(bounds?.planned).toEqual(planned)
      expect(bounds?.seen?.leastAvailable).toBeGreaterThanOrEqual(planned.leastAvailable)
      // Of the pods all at once only what was asked for can be held against the plan; see watchAskedPods.
      expect(bounds?.seen?.mostTotal).toBeGreaterThanOrEqual(1)
      expect(asked.most()).toBe(planned.mostTotal)
      expect(await checkout.run({ namespace: namespace.name, ...inputs })).toMatchObject({
        outputs: { outcome: 'unchanged' },
      })
    }),
  )

  it('whose pods cannot fit is warned of before it begins', () =>
    withNamespace('capacity', async (namespace) => {
      await namespace.kubectl(['create', 'quota', 'small', '--hard=requests.cpu=500m'])
      const sized = (tag: string) =>
        documents([
          deployment('web', {
            tag,
            replicas: 4,
            container: { image: `${IMAGE}:${tag}`, resources: { requests: { cpu: '100m' } } },
          }),
        ])
      await using checkout = await createCheckout({ 'k8s/app.yaml': sized('v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      await checkout.write('k8s/app.yaml', sized('v2'))
      const result = await checkout.run({ namespace: namespace.name, strategy: 'parallel', timeout: '5s' })
      const warning =
        /needs 400m more requests\.cpu of the ResourceQuota \S+\/small at its peak, and 100m is free\. With strategy rolling/
      expect(result.report.warnings.join()).toMatch(warning)
      expect(result.log.search(warning)).toBeGreaterThan(0)
      expect(result.log.search(warning)).toBeLessThan(result.log.indexOf('Apply the release'))
    }))
})
