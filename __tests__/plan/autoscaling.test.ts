import { describe, expect, it } from '@jest/globals'
import type { KubeObject, ManagedFieldsEntry } from '../../src/manifest/object.ts'
import { scaledByManifests, withLiveReplicas, withoutReplicas } from '../../src/plan/autoscaling.ts'

const REPLICAS = { 'f:spec': { 'f:replicas': {} } }
const entry = (manager: string, operation: string, subresource = '', fieldsV1: object = REPLICAS) =>
  ({ manager, operation, subresource, fieldsV1 }) as ManagedFieldsEntry
const HPA = entry('kube-controller-manager', 'Update', 'scale')
const KEDA = entry('keda-operator', 'Update', 'scale')
const BY_HAND = entry('kubectl', 'Update', 'scale')
const OURS = entry('rollsafe', 'Apply')

const web = (replicas?: number, managedFields: ManagedFieldsEntry[] = [], kind = 'Deployment'): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'web', namespace: 'shop', ...(managedFields.length > 0 && { managedFields }) },
  spec: { paused: false, ...(replicas !== undefined && { replicas }) },
})
const autoscaler = (scaleTargetRef: unknown, apiVersion = 'autoscaling/v2', kind = 'HorizontalPodAutoscaler') => ({
  apiVersion,
  kind,
  metadata: { name: 'web', namespace: 'shop' },
  spec: { scaleTargetRef },
})

describe('what autoscalers in the manifests scale', () => {
  it.each<[string, KubeObject, string[]]>([
    ['of an HPA', autoscaler({ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db' }), ['StatefulSet.apps/shop/db']],
    [
      'of an older HPA',
      autoscaler({ apiVersion: 'extensions/v1beta1', kind: 'Deployment', name: 'web' }, 'autoscaling/v1'),
      ['Deployment.extensions/shop/web'],
    ],
    [
      'of a ScaledObject, which is a Deployment',
      autoscaler({ name: 'web' }, 'keda.sh/v1alpha1', 'ScaledObject'),
      ['Deployment.apps/shop/web'],
    ],
    [
      'of a kind of somebody’s own',
      autoscaler({ apiVersion: 'x.dev/v1', kind: 'Web', name: 'w' }),
      ['Web.x.dev/shop/w'],
    ],
    ['of a kind that only has the name', autoscaler({ name: 'web' }, 'example.dev/v1'), []],
    ['without a name', autoscaler({ kind: 'Deployment' }), []],
    ['with a name that is none', autoscaler({ name: 5 }), []],
    ['with nothing', autoscaler(undefined), []],
    ['without a spec', { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'a' } }, []],
    ['of a Deployment', web(2), []],
  ])('%s', (_name, object, keys) => {
    expect([...scaledByManifests([object])]).toEqual(keys)
  })
})

describe('the replicas that are applied', () => {
  const SCALED = new Set(['Deployment.apps/shop/web'])
  const NONE = new Set<string>()
  it.each<[string, KubeObject, KubeObject | undefined, Set<string>, number | undefined]>([
    ['are the manifest’s', web(2), web(5, [OURS]), NONE, 2],
    ['are the manifest’s for what is not there', web(2), undefined, SCALED, 2],
    ['are none where the manifest has none', web(), web(5, [OURS, HPA]), SCALED, undefined],
    // Leaving out a field that only we own would set it to 1.
    ['are the live ones while they are ours and an autoscaler comes', web(2), web(5, [OURS]), SCALED, 5],
    [
      'are the live ones while they are kubectl’s',
      web(2),
      web(5, [entry('kubectl-client-side-apply', 'Update')]),
      SCALED,
      5,
    ],
    ['are left to an autoscaler that has them', web(2), web(7, [HPA]), NONE, undefined],
    ['are left to KEDA', web(2), web(7, [KEDA]), NONE, undefined],
    ['are left to an autoscaler, and live when we own them too', web(2), web(7, [OURS, HPA]), NONE, 7],
    ['are left to nobody when somebody has scaled by hand', web(2), web(7, [BY_HAND]), NONE, 2],
    ['nor by a newer kubectl', web(2), web(7, [entry('kubectl-scale', 'Update', 'scale')]), NONE, 2],
    [
      'are left to who only calls himself like it',
      web(2),
      web(7, [entry('kubectlish', 'Update', 'scale')]),
      NONE,
      undefined,
    ],
    [
      'are the manifest’s when a controller writes another subresource',
      web(2),
      web(7, [entry('x', 'Update', 'status')]),
      NONE,
      2,
    ],
    [
      'are the manifest’s when scale was used for something else',
      web(2),
      web(7, [entry('x', 'Update', 'scale', {})]),
      NONE,
      2,
    ],
    ['are left away where the live one has none', web(2), web(undefined, [OURS, HPA]), NONE, undefined],
    ['are the manifest’s of 0, too', web(0), web(5, [OURS]), NONE, 0],
    ['are the live ones of 0, too', web(3), web(0, [OURS]), SCALED, 0],
  ])('%s', (_name, desired, live, scaled, replicas) => {
    expect(withLiveReplicas(desired, live, scaled)['spec']).toEqual(web(replicas)['spec'])
  })

  it('are asked for by kind, name and namespace', () => {
    const live = web(5, [OURS])
    const elsewhere = new Set(['Deployment.apps/other/web', 'StatefulSet.apps/shop/web', 'Deployment.apps/shop/api'])
    expect(withLiveReplicas(web(2), live, elsewhere)).toEqual(web(2))
  })

  it('can be left away from anything', () => {
    expect(withoutReplicas(web(2))).toEqual(web())
    const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { replicas: '2' } }
    expect(withoutReplicas(settings)).toEqual(settings)
  })
})
