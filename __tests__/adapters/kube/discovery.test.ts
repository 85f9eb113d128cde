import { expect, it } from '@jest/globals'
import { createDiscovery } from '../../../src/adapters/kube/discovery.ts'
import { clientOf, json, startFakeApiServer, status } from '../../fakes/api-server.ts'

const AGGREGATED = json(200, {
  kind: 'APIGroupDiscoveryList',
  items: [
    {
      metadata: { name: 'apps' },
      versions: [
        {
          version: 'v1',
          resources: [
            {
              resource: 'deployments',
              responseKind: { kind: 'Deployment' },
              scope: 'Namespaced',
              verbs: ['get', 'patch'],
            },
          ],
        },
      ],
    },
    {
      metadata: { name: 'rbac.authorization.k8s.io' },
      versions: [
        {
          version: 'v1',
          resources: [
            { resource: 'clusterroles', responseKind: { kind: 'ClusterRole' }, scope: 'Cluster', verbs: ['get'] },
          ],
        },
      ],
    },
  ],
})

it('reads one document for all groups, however many ask at once', async () => {
  await using server = await startFakeApiServer([AGGREGATED])
  const http = clientOf(server)
  const discovery = createDiscovery(http)
  const found = await Promise.all([
    discovery.find('apps/v1', 'Deployment'),
    discovery.find('rbac.authorization.k8s.io/v1', 'ClusterRole'),
    discovery.find('apps/v1', 'Deploymint'),
    discovery.find('apps/v1beta1', 'Deployment'),
  ])
  expect(found).toEqual([
    { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true, verbs: ['get', 'patch'] },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      plural: 'clusterroles',
      namespaced: false,
      verbs: ['get'],
    },
    undefined,
    undefined,
  ])
  expect(server.requests).toEqual(['GET /apis'])
  discovery.forget()
  await discovery.find('apps/v1', 'Deployment')
  expect(server.requests).toHaveLength(2)
  await http.close()
})

it('reads group by group where the server does not aggregate', async () => {
  const old = json(200, { kind: 'APIGroupList', groups: [] })
  const apps = json(200, {
    kind: 'APIResourceList',
    resources: [
      { name: 'deployments', kind: 'Deployment', namespaced: true, verbs: ['get'] },
      { name: 'deployments/status', kind: 'Deployment', namespaced: true, verbs: ['get'] },
    ],
  })
  await using server = await startFakeApiServer([old, apps, status(404, 'not found')])
  const http = clientOf(server)
  const discovery = createDiscovery(http)
  expect(await discovery.find('apps/v1', 'Deployment')).toMatchObject({ plural: 'deployments' })
  expect(await discovery.find('apps/v1', 'Deployment')).toMatchObject({ plural: 'deployments' })
  expect(await discovery.find('example.dev/v1', 'Thing')).toBeUndefined()
  expect(server.requests).toEqual(['GET /apis', 'GET /apis/apps/v1', 'GET /apis/example.dev/v1'])
  await http.close()
})

it('asks again after a failed read', async () => {
  await using server = await startFakeApiServer([status(403, 'no'), AGGREGATED])
  const http = clientOf(server)
  const discovery = createDiscovery(http)
  await expect(discovery.find('apps/v1', 'Deployment')).rejects.toMatchObject({ status: 403 })
  expect(await discovery.find('apps/v1', 'Deployment')).toBeDefined()
  await http.close()
})

it('tells the versions of groups, and their kinds where the server tells all at once', async () => {
  const core = json(200, {
    kind: 'APIGroupDiscoveryList',
    items: [
      {
        metadata: {},
        versions: [
          { version: 'v1', resources: [{ resource: 'pods', responseKind: { kind: 'Pod' }, scope: 'Namespaced' }] },
        ],
      },
    ],
  })
  await using server = await startFakeApiServer([
    (...exchange) => (exchange[0].url === '/api' ? core : AGGREGATED)(...exchange),
  ])
  const http = clientOf(server)
  const discovery = createDiscovery(http)
  const groups = [
    'apps/v1',
    'apps/v1/Deployment',
    'rbac.authorization.k8s.io/v1',
    'rbac.authorization.k8s.io/v1/ClusterRole',
  ]
  expect(await discovery.apiVersions()).toEqual(['v1', 'v1/Pod', ...groups])
  await discovery.find('apps/v1', 'Deployment')
  expect(server.requests.toSorted()).toEqual(['GET /api', 'GET /apis'])
  await http.close()
})

it('tells the versions of groups of a server that does not aggregate', async () => {
  const core = json(200, { kind: 'APIVersions', versions: ['v1'] })
  const groups = json(200, {
    kind: 'APIGroupList',
    groups: [{ name: 'apps', versions: [{ groupVersion: 'apps/v1' }, { groupVersion: 'apps/v1beta1' }] }],
  })
  await using server = await startFakeApiServer([
    (...exchange) => (exchange[0].url === '/api' ? core : groups)(...exchange),
  ])
  const http = clientOf(server)
  expect(await createDiscovery(http).apiVersions()).toEqual(['v1', 'apps/v1', 'apps/v1beta1'])
  await http.close()
})
