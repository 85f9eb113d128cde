import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { covers, type Needs, type Right, rightsFor } from '../../src/plan/access.ts'
import type { AccessRule, ResourceType } from '../../src/ports.ts'
import { documentedRights } from '../cluster/roles.ts'

const TYPES: Readonly<Record<string, [apiVersion: string, plural: string, namespaced: boolean]>> = {
  ConfigMap: ['v1', 'configmaps', true],
  Secret: ['v1', 'secrets', true],
  Namespace: ['v1', 'namespaces', false],
  Deployment: ['apps/v1', 'deployments', true],
  StatefulSet: ['apps/v1', 'statefulsets', true],
  Job: ['batch/v1', 'jobs', true],
}

function wanted(kind: string, name: string, { namespace = 'shop', annotations = {} } = {}): Needs['desired'][number] {
  const [apiVersion = '', plural = '', namespaced = true] = TYPES[kind] ?? []
  const type: ResourceType = { apiVersion, kind, plural, namespaced, verbs: ['get', 'patch'] }
  const metadata = { name, annotations, ...(namespaced && { namespace }) }
  const hasPods = apiVersion === 'apps/v1'
  const spec = { selector: { matchLabels: { app: name } } }
  const object: KubeObject = { apiVersion, kind, metadata, ...(hasPods && { spec }) }
  return { type, manifest: { object, at: { file: 'a.yaml', line: 1 } } }
}

const rights = (desired: Needs['desired'], more: Partial<Needs> = {}): Right[] =>
  rightsFor({
    identity: { release: 'shop', namespace: 'shop' },
    desired,
    takesBack: true,
    listedFrom: 3,
    ...more,
  })

/** `get list - patch` in one line a resource and namespace; in brackets, what a release can do without. */
const told = (all: readonly Right[]): Record<string, string> =>
  Object.fromEntries(
    [...Map.groupBy(all, ({ group, resource, namespace = '*' }) => `${namespace} ${resource}.${group}`)].map(
      ([key, same]) => [key, same.map(({ verb, isOptional }) => (isOptional ? `(${verb})` : verb)).join(' ')],
    ),
  )

const BOOKKEEPING = {
  'shop leases.coordination.k8s.io': 'get create update (delete)',
  'shop secrets.': 'get list create update (delete)',
}
const EVIDENCE = {
  'shop replicasets.apps': '(list) (watch)',
  'shop pods.': '(list) (watch)',
  'shop events.': '(list)',
  'shop pods/log.': '(get)',
  'shop resourcequotas.': '(list)',
}

describe('the rights that a release needs', () => {
  it('are those for the lock and the records, and none for what it does not have', () => {
    expect(told(rights([]))).toEqual(BOOKKEEPING)
  })

  it('are those of its kinds, the way back included', () => {
    expect(told(rights([wanted('ConfigMap', 'a'), wanted('Deployment', 'web')]))).toEqual({
      ...BOOKKEEPING,
      'shop configmaps.': 'get (list) create patch update delete',
      'shop deployments.apps': 'get (list) (watch) create patch update delete',
      ...EVIDENCE,
    })
  })

  it('are fewer when nothing is taken back, but for the Job of a hook, which is made anew each time', () => {
    const hook = { annotations: { 'rollsafe.dev/hook': 'pre-deploy' } }
    const desired = [wanted('ConfigMap', 'a'), wanted('Job', 'migrate', hook)]
    expect(told(rights(desired, { takesBack: false }))).toMatchObject({
      'shop configmaps.': 'get (list) create patch (update) (delete)',
      'shop jobs.batch': 'get (list) (watch) create patch (update) delete',
    })
  })

  it('have the list from the number on at which objects are listed', () => {
    const desired = ['a', 'b', 'c'].map((name) => wanted('ConfigMap', name))
    expect(told(rights(desired))).toMatchObject({ 'shop configmaps.': 'get list create patch update delete' })
  })

  it('have both uses of Secrets in one', () => {
    const all = rights([wanted('Secret', 'db')])
    expect(told(all)['shop secrets.']).toBe('get list create update delete patch')
    expect(all.find(({ resource, verb }) => resource === 'secrets' && verb === 'get')?.names).toEqual([])
    expect(all.find(({ resource, verb }) => resource === 'secrets' && verb === 'patch')?.names).toEqual(['db'])
  })

  it('have the deletion of pods where a way back may need it', () => {
    const all = told(rights([wanted('StatefulSet', 'db')]))
    expect(all).toMatchObject({ 'shop pods.': '(list) (watch) (delete)', 'shop events.': '(list) (watch)' })
    expect(all).not.toHaveProperty(['shop replicasets.apps'])
  })

  it('are told apart by namespace, and have none for what has none', () => {
    const all = told(rights([wanted('ConfigMap', 'a', { namespace: 'jobs' }), wanted('Namespace', 'jobs')]))
    expect(all).toEqual({
      ...BOOKKEEPING,
      'jobs configmaps.': 'get (list) create patch update delete',
      '* namespaces.': 'get (list) create patch update delete',
    })
  })

  it('are for objects by name, but where a name is of no use', () => {
    const all = rights([wanted('ConfigMap', 'a'), wanted('ConfigMap', 'b')])
    const named = all.filter(({ resource, names }) => resource === 'configmaps' && names.length > 0)
    expect(named.map(({ verb }) => verb)).toEqual(['get', 'patch', 'update', 'delete'])
    expect(named.map(({ names }) => names)).toEqual(named.map(() => ['a', 'b']))
  })
})

describe('the Role of docs/permissions.md', () => {
  const KINDS: Readonly<Record<string, string>> = {
    secrets: 'Secret',
    configmaps: 'ConfigMap',
    services: 'Service',
    serviceaccounts: 'ServiceAccount',
    persistentvolumeclaims: 'PersistentVolumeClaim',
    ingresses: 'Ingress',
    networkpolicies: 'NetworkPolicy',
    horizontalpodautoscalers: 'HorizontalPodAutoscaler',
    poddisruptionbudgets: 'PodDisruptionBudget',
    cronjobs: 'CronJob',
    deployments: 'Deployment',
    statefulsets: 'StatefulSet',
    daemonsets: 'DaemonSet',
    jobs: 'Job',
  }

  it('is what a release of all its kinds is asked for, no verb more and none less', () => {
    const documented = documentedRights()
    const applied = documented.filter(({ verb }) => verb === 'patch')
    const desired = applied.flatMap(({ group, resource }) =>
      ['a', 'b', 'c'].map((name) => {
        const kind = KINDS[resource]
        if (kind === undefined) throw new Error(`what kind is ${resource}?`)
        const apiVersion = group === '' ? 'v1' : `${group}/v1`
        const metadata = { name, namespace: 'shop' }
        const object = { apiVersion, kind, metadata, spec: { selector: { matchLabels: { app: name } } } }
        const type = { apiVersion, kind, plural: resource, namespaced: true, verbs: ['get', 'patch'] }
        return { type, manifest: { object, at: { file: 'a.yaml', line: 1 } } }
      }),
    )
    const words = (all: readonly { group: string; resource: string; verb: string }[]) =>
      all.map(({ group, resource, verb }) => `${verb} ${resource}.${group}`).toSorted()
    expect(words(rights(desired))).toEqual(words(documented))
  })
})

describe('a rule', () => {
  const rule = (change: Partial<AccessRule>): AccessRule => ({
    verbs: ['get'],
    apiGroups: ['apps'],
    resources: ['deployments'],
    resourceNames: [],
    ...change,
  })
  const right = (change: Partial<Right> = {}): Right => ({
    verb: 'get',
    group: 'apps',
    resource: 'deployments',
    namespace: 'shop',
    names: [],
    isOptional: false,
    ...change,
  })
  const LOG = right({ group: '', resource: 'pods/log' })
  const NAMED = right({ names: ['a', 'b'] })

  it.each<[string, AccessRule[], Right, boolean]>([
    ['covers what it names', [rule({})], right(), true],
    ['covers no other verb', [rule({ verbs: ['list', 'patch'] })], right(), false],
    ['covers no other group', [rule({ apiGroups: ['', 'batch'] })], right(), false],
    ['covers no other kind', [rule({ resources: ['deployments/scale', 'statefulsets'] })], right(), false],
    ['covers all verbs by *', [rule({ verbs: ['*'] })], right(), true],
    ['covers all groups by *', [rule({ apiGroups: ['*'] })], right(), true],
    ['covers all kinds by *', [rule({ resources: ['*'] })], right(), true],
    [
      'needs verb and group and kind in one',
      [rule({ verbs: ['list'] }), rule({ resources: ['pods'] })],
      right(),
      false,
    ],
    ['covers a subresource that it names', [rule({ apiGroups: [''], resources: ['pods/log'] })], LOG, true],
    ['covers no subresource by its kind', [rule({ apiGroups: [''], resources: ['pods'] })], LOG, false],
    ['covers all subresources by *', [rule({ apiGroups: [''], resources: ['*'] })], LOG, true],
    ['covers a subresource of all kinds', [rule({ apiGroups: [''], resources: ['*/log'] })], LOG, true],
    ['covers no kind by the subresource of all', [rule({ resources: ['*/scale'] })], right(), false],
    ['for one name does not cover all', [rule({ resourceNames: ['a'] })], right(), false],
    ['for one name does not cover another', [rule({ resourceNames: ['a'] })], NAMED, false],
    ['for the names that are needed covers them', [rule({ resourceNames: ['b', 'a'] })], NAMED, true],
    ['covers names with others', [rule({ resourceNames: ['a'] }), rule({ resourceNames: ['b'] })], NAMED, true],
    ['for all names covers some', [rule({})], NAMED, true],
    ['that does not exist covers nothing', [], NAMED, false],
  ])('%s', (_what, rules, wish, isCovered) => {
    expect(covers(rules, wish)).toBe(isCovered)
  })
})
