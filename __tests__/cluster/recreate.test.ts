/** Fields that the API server lets nobody change: what is refused, what is made anew, and how that is taken back. */
import { describe, expect, it } from '@jest/globals'
import { deployment, documents, IMAGE } from './manifests.ts'
import { type Checkout, createCheckout } from './rollsafe.ts'
import { snapshot } from './snapshot.ts'
import { type TestNamespace, withNamespace } from './testbed.ts'

const ALLOWED = { 'rollsafe.dev/recreate': 'if-immutable' }
const FILE = 'k8s/app.yaml'

type Fields = Record<string, unknown>
const object = (apiVersion: string, kind: string, content: Fields, annotations: Record<string, string> = {}) => ({
  apiVersion,
  kind,
  metadata: { name: 'web', annotations },
  ...content,
})
const role = (name: string, annotations: Record<string, string> = {}) => [
  object('rbac.authorization.k8s.io/v1', 'Role', { rules: [] }),
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'other' }, rules: [] },
  object(
    'rbac.authorization.k8s.io/v1',
    'RoleBinding',
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name: 'default' }],
    },
    annotations,
  ),
]
const claim = (storage: string, annotations: Record<string, string> = {}) =>
  object(
    'v1',
    'PersistentVolumeClaim',
    {
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: storage, resources: { requests: { storage: '1Gi' } } },
    },
    annotations,
  )
const service = (clusterIP: string | undefined, annotations: Record<string, string> = {}) =>
  object(
    'v1',
    'Service',
    { spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...(clusterIP && { clusterIP }) } },
    annotations,
  )
const database = (size: string, annotations: Record<string, string> = {}, policy = 'Retain') =>
  object(
    'apps/v1',
    'StatefulSet',
    {
      spec: {
        replicas: 1,
        serviceName: 'web',
        selector: { matchLabels: { app: 'db' } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: policy, whenScaled: 'Retain' },
        template: {
          metadata: { labels: { app: 'db' } },
          spec: { containers: [{ name: 'app', image: `${IMAGE}:v1` }] },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: { storage: size } } },
          },
        ],
      },
    },
    annotations,
  )
const web = (tag: string, tier: string, annotations: Record<string, string> = {}) => {
  const { metadata, spec } = deployment('web', { tag }) as {
    metadata: Fields
    spec: { template: { spec: Fields } } & Fields
  }
  const labels = { app: 'web', tier }
  return object(
    'apps/v1',
    'Deployment',
    {
      spec: {
        ...spec,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: spec.template.spec },
      },
    },
    { ...(metadata['annotations'] as Record<string, string> | undefined), ...annotations },
  )
}
const job = (tag: string) =>
  object('batch/v1', 'Job', {
    spec: {
      backoffLimit: 0,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: `${IMAGE}:${tag}` }] } },
    },
  })

async function withCheckout(body: (namespace: TestNamespace, checkout: Checkout, run: Run) => Promise<void>) {
  await withNamespace('recreate', async (namespace) => {
    await using checkout = await createCheckout()
    // A release may hold roles.
    await namespace.grant('rollsafe-rbac')
    await body(namespace, checkout, async (objects) => {
      await checkout.write(FILE, documents(objects))
      return checkout.run({ namespace: namespace.name, timeout: '60s' })
    })
  })
}
type Run = (objects: readonly object[]) => ReturnType<Checkout['run']>

const uidOf = async (namespace: TestNamespace, kind: string) =>
  (await namespace.get<{ metadata: { uid: string } }>(kind, 'web')).metadata.uid

describe('a field that cannot change', () => {
  it.concurrent.each<[string, readonly object[], readonly object[], RegExp]>([
    ['the selector of a Deployment', [web('v1', 'a')], [web('v1', 'b')], /rollsafe\.dev\/recreate: if-immutable/],
    ['the claims of a StatefulSet', [database('1Gi')], [database('2Gi')], /rollsafe\.dev\/recreate/],
    [
      'the claims of a StatefulSet that would take them with it',
      [database('1Gi', ALLOWED, 'Delete')],
      [database('2Gi', ALLOWED, 'Delete')],
      /would delete its claims with it/,
    ],
    ['the address of a Service', [service(undefined)], [service('None')], /rollsafe\.dev\/recreate/],
    ['the role of a binding', role('web'), role('other'), /rollsafe\.dev\/recreate/],
    ['the storage class of a claim', [claim('a')], [claim('b')], /keep the old value, or save what is in it/],
    [
      'the type of a Secret',
      [object('v1', 'Secret', { type: 'Opaque', data: {} })],
      [object('v1', 'Secret', { type: 'example.com/other', data: {} })],
      /rollsafe\.dev\/recreate/,
    ],
    [
      'a ConfigMap that says so itself',
      [object('v1', 'ConfigMap', { immutable: true, data: { a: '1' } })],
      [object('v1', 'ConfigMap', { immutable: true, data: { a: '2' } })],
      /rollsafe\.dev\/recreate/,
    ],
  ])('%s is found before anything is written, with what to do', (_name, first, second, hint) =>
    withCheckout(async (namespace, _checkout, run) => {
      await namespace.kubectl(['apply', '--server-side', '--field-manager', 'rollsafe', '-f', '-'], documents(first))
      const kind = (second.at(-1) as { kind: string }).kind
      const uid = await uidOf(namespace, kind)
      const refused = await run(second)
      expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'Immutable' } })
      expect(refused.report.problems).toHaveLength(1)
      expect(refused.report.problems[0]?.hint).toMatch(hint)
      expect(await uidOf(namespace, kind)).toBe(uid)
    }),
  )
})

describe('an object that may be made anew', () => {
  it('is, and comes back exactly as it was when the release is bad', () =>
    withCheckout(async (namespace, _checkout, run) => {
      const all = (tag: string, tier: string, address?: string, roleName = 'web') => [
        ...role(roleName, ALLOWED),
        service(address, ALLOWED),
        web(tag, tier, ALLOWED),
      ]
      expect(await run(all('v1', 'a'))).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      const first = await uidOf(namespace, 'deployment')

      const second = await run(all('v2', 'b', 'None'))
      expect(second).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed', changed: 'true' } })
      expect(second.report.objects.map(({ kind, change }) => `${kind} ${change}`).toSorted()).toEqual([
        'Deployment recreated',
        'Role unchanged',
        'Role unchanged',
        'RoleBinding unchanged',
        'Service recreated',
      ])
      expect(second.log).toContain('at least 0 of 2 available, at most 2 pods in all (it is deleted and made anew)')
      expect(await uidOf(namespace, 'deployment')).not.toBe(first)

      const kinds = 'services,deployments,roles,rolebindings'
      const before = await identityless(namespace, kinds)
      const bad = await run(all('v3-unpullable', 'c', 'None', 'other'))
      expect(bad).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'rolled-back', reason: 'ImagePull', changed: 'false', 'previous-revision': '2' },
      })
      expect(bad.report.rollback?.steps.filter(({ step }) => step === 'restored')).toHaveLength(2)
      expect(await identityless(namespace, kinds)).toEqual(before)

      // Its record knows the objects under their new identities: nothing changes, and what is taken out can be pruned.
      const again = await run(all('v2', 'b', 'None'))
      expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged', revision: '2' } })
    }))

  it('keeps the claims of a StatefulSet', () =>
    withCheckout(async (namespace, _checkout, run) => {
      await using volume = await volumeFor(namespace)
      expect(await run([service('None'), database('1Gi', ALLOWED)])).toMatchObject({ exitCode: 0 })
      expect(volume.name).toBe(namespace.name)
      const { metadata } = await namespace.get<{ metadata: { uid: string } }>('pvc', 'data-web-0')
      expect(await run([service('None'), database('2Gi', ALLOWED)])).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'deployed' },
      })
      expect((await namespace.get<{ metadata: { uid: string } }>('pvc', 'data-web-0')).metadata.uid).toBe(metadata.uid)
    }))

  it('is refused as a whole when it would be wrong as well, and the old one stays', () =>
    withCheckout(async (namespace, _checkout, run) => {
      expect(await run([web('v1', 'a', ALLOWED)])).toMatchObject({ exitCode: 0 })
      const uid = await uidOf(namespace, 'deployment')
      const { spec, ...rest } = web('v2', 'b', ALLOWED) as unknown as { spec: Fields } & Fields
      const refused = await run([{ ...rest, spec: { ...spec, replicas: -1 } }])
      expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'InvalidManifest' } })
      expect(refused.outputs['message']).toContain('spec.replicas')
      expect(await uidOf(namespace, 'deployment')).toBe(uid)
    }))
})

describe('a Job with a fixed name', () => {
  it('is replaced by the one of each release, and runs once for each', () =>
    withCheckout(async (namespace, _checkout, run) => {
      expect(await run([job('v1-complete')])).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      const first = await uidOf(namespace, 'job')
      expect(await run([job('v1-complete')])).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged' } })
      expect(await uidOf(namespace, 'job')).toBe(first)
      const second = await run([job('v2-complete')])
      expect(second).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      expect(second.report.objects).toMatchObject([{ kind: 'Job', change: 'recreated' }])
      expect(await uidOf(namespace, 'job')).not.toBe(first)
    }))

  it('is not run a second time by a rollback', () =>
    withCheckout(async (namespace, _checkout, run) => {
      expect(await run([job('v1-complete'), web('v1', 'a')])).toMatchObject({ exitCode: 0 })
      const bad = await run([job('v2-complete'), web('v2-unpullable', 'a')])
      expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } })
      expect(bad.log).toContain('deleted: the Job that it had replaced is not run again')
      expect((await namespace.kubectl(['get', 'jobs', '-o', 'name'])).trim()).toBe('')
    }))
})

/** Room for the claim of the StatefulSet's only pod: there is nobody on the testbed who would make it. */
async function volumeFor(namespace: TestNamespace): Promise<AsyncDisposable & { readonly name: string }> {
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: namespace.name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '2Gi' },
      claimRef: { namespace: namespace.name, name: 'data-web-0' },
      hostPath: { path: '/nowhere' },
    },
  }
  await namespace.kubectl(['create', '-f', '-'], JSON.stringify(volume))
  return {
    name: namespace.name,
    [Symbol.asyncDispose]: async () => {
      await namespace.kubectl(['delete', 'persistentvolume', namespace.name, '--wait=false'])
    },
  }
}

/** Without what no object that was made anew can have again. */
async function identityless(namespace: TestNamespace, kinds: string): Promise<unknown> {
  const text = JSON.stringify(await snapshot(namespace, kinds))
  return JSON.parse(text, (name, value: unknown) =>
    name === 'uid' || name === 'creationTimestamp' || name === 'clusterIP' || name === 'clusterIPs' ? undefined : value,
  )
}
