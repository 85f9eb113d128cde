import { describe, expect, it } from '@jest/globals'
import type { Manifest } from '../../src/manifest/object.ts'
import { providedRole } from '../../src/plan/provided.ts'

const RBAC = 'rbac.authorization.k8s.io/v1'
const manifest = (kind: string, name: string, namespace?: string, more: object = {}, apiVersion = RBAC): Manifest => ({
  at: { file: 'k8s/roles.yaml', line: 1 },
  object: { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) }, ...more },
})
const to = (kind: string, name: string) => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name } })

describe('the role that a binding gives', () => {
  const among = [manifest('Role', 'web', 'shop'), manifest('ClusterRole', 'all')]
  it.each<[string, Manifest, string | undefined]>([
    [
      'is in the release',
      manifest('RoleBinding', 'b', 'shop', to('Role', 'web')),
      `Role.rbac.authorization.k8s.io/shop/web`,
    ],
    ['is of another namespace', manifest('RoleBinding', 'b', 'other', to('Role', 'web')), undefined],
    ['is not in the release', manifest('RoleBinding', 'b', 'shop', to('Role', 'db')), undefined],
    [
      'is of the cluster',
      manifest('RoleBinding', 'b', 'shop', to('ClusterRole', 'all')),
      'ClusterRole.rbac.authorization.k8s.io//all',
    ],
    [
      'is of the cluster, for all of it',
      manifest('ClusterRoleBinding', 'b', undefined, to('ClusterRole', 'all')),
      'ClusterRole.rbac.authorization.k8s.io//all',
    ],
    ['is that of a role itself', manifest('Role', 'web', 'shop', to('Role', 'web')), undefined],
    [
      'is of somebody else’s binding',
      manifest('RoleBinding', 'b', 'shop', to('Role', 'web'), 'example.com/v1'),
      undefined,
    ],
    ['is missing', manifest('RoleBinding', 'b', 'shop'), undefined],
  ])('%s', (_name, binding, expected) => {
    expect(providedRole(binding, among)).toBe(expected)
  })
})
