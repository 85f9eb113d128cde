import { describe, expect, it } from '@jest/globals'
import { loadAll } from 'js-yaml'
import type { Right } from '../../src/plan/access.ts'
import { describeRule, mergedRules, roleToPaste } from '../../src/plan/role-to-paste.ts'

function rights(namespace: string | undefined, ...all: [group: string, resource: string, verbs: string][]): Right[] {
  return all.flatMap(([group, resource, verbs]) =>
    verbs.split(' ').map((verb) => ({
      verb,
      group,
      resource,
      names: ['a'],
      isOptional: false,
      ...(namespace !== undefined && { namespace }),
    })),
  )
}

const IN_SHOP = rights(
  'shop',
  ['apps', 'deployments', 'delete get'],
  ['', 'configmaps', 'update'],
  ['apps', 'statefulsets', 'get delete'],
  ['', 'pods/log', 'get'],
)
const SERVICE_ACCOUNT = 'system:serviceaccount:ci:rollsafe'

describe('rules', () => {
  it('are merged where the verbs of a group are the same, in the order in which they are read best', () => {
    expect(mergedRules(IN_SHOP).map(describeRule)).toEqual([
      'get, delete on deployments.apps, statefulsets.apps',
      'update on configmaps',
      'get on pods/log',
    ])
  })

  it('name subresources as RBAC does, and the group for people', () => {
    expect(mergedRules(rights('shop', ['apps', 'deployments/scale', 'get'])).map(describeRule)).toEqual([
      'get on deployments.apps/scale',
    ])
  })
})

describe('the YAML to paste', () => {
  it('is a Role and its binding', () => {
    const yaml = roleToPaste(IN_SHOP, 'shop', SERVICE_ACCOUNT)
    const name = /name: (rollsafe-shop-[0-9a-f]{8})/.exec(yaml)?.[1] ?? ''
    expect(yaml).toBe(`apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: ${name}
  namespace: shop
rules:
  - apiGroups: [apps]
    resources: [deployments, statefulsets]
    verbs: [get, delete]
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [update]
  - apiGroups: [""]
    resources: [pods/log]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: ${name}
  namespace: shop
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: ${name}
subjects:
  - kind: ServiceAccount
    name: rollsafe
    namespace: ci`)
  })

  it('is one pair for each namespace, and one for the whole cluster', () => {
    const all = [...IN_SHOP, ...rights('jobs', ['', 'configmaps', 'get']), ...rights(undefined, ['', 'nodes', 'list'])]
    const documents = loadAll(roleToPaste(all, 'shop', SERVICE_ACCOUNT))
    expect(documents).toMatchObject([
      { kind: 'Role', metadata: { namespace: 'shop' } },
      { kind: 'RoleBinding', metadata: { namespace: 'shop' } },
      { kind: 'Role', metadata: { namespace: 'jobs' }, rules: [{ resources: ['configmaps'], verbs: ['get'] }] },
      { kind: 'RoleBinding', metadata: { namespace: 'jobs' } },
      { kind: 'ClusterRole', rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }] },
      { kind: 'ClusterRoleBinding', roleRef: { kind: 'ClusterRole' } },
    ])
    expect(documents.slice(4)).not.toContainEqual(
      expect.objectContaining({ metadata: { namespace: expect.anything() } }),
    )
  })

  it('binds a user by name, whatever the name is', () => {
    const user = 'arn:aws:iam::1:user/"a" # no\n- kind: Group'
    expect(loadAll(roleToPaste(IN_SHOP, 'shop', user))).toMatchObject([
      { kind: 'Role' },
      { kind: 'RoleBinding', subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }] },
    ])
  })

  it('has no binding for a user that is not known', () => {
    expect(loadAll(roleToPaste(IN_SHOP, 'shop', ''))).toMatchObject([{ kind: 'Role' }])
  })

  it('has another name for other rules, or another user, so that applying it takes nothing away', () => {
    const nameOf = (some: readonly Right[], user: string) =>
      /name: (rollsafe-\S+)/.exec(roleToPaste(some, 'shop', user))?.[1]
    const names = [nameOf(IN_SHOP, 'a'), nameOf(IN_SHOP, 'b'), nameOf(IN_SHOP.slice(1), 'a')]
    expect(new Set(names).size).toBe(3)
    expect(nameOf(IN_SHOP, 'a')).toBe(names[0])
  })

  it('quotes what YAML would not read as a text', () => {
    const all = rights('shop', ['', 'true', 'get'], ['y', '123', 'get'])
    expect(loadAll(roleToPaste(all, 'shop', ''))).toMatchObject([
      { rules: [{ resources: ['true'] }, { apiGroups: ['y'], resources: ['123'] }] },
    ])
  })
})
