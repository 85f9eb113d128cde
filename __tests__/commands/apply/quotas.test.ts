import { expect, it } from '@jest/globals'
import { createClock } from '../../../src/adapters/system.ts'
import { waitUntilCounted } from '../../../src/commands/apply/quotas.ts'
import type { KubeObject } from '../../../src/manifest/object.ts'
import { createMemoryCluster } from '../../fakes/memory-cluster.ts'

const QUOTA: KubeObject = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'room', namespace: 'shop' },
  spec: { hard: { pods: '3' } },
}

it('waits until the controller has counted what a new quota limits', async () => {
  const cluster = createMemoryCluster([QUOTA])
  cluster.onRequest = (_request, moment) => {
    const isSecond = moment === 'before' && cluster.requests.length === 2
    if (isSecond) cluster.put({ ...QUOTA, status: { used: { pods: '0' } } })
  }
  await waitUntilCounted([QUOTA], cluster, createClock())
  expect(cluster.requests).toEqual(['get ResourceQuota shop/room', 'get ResourceQuota shop/room'])
})

it('asks for nothing else', async () => {
  const cluster = createMemoryCluster()
  await waitUntilCounted([{ ...QUOTA, kind: 'LimitRange' }], cluster, createClock())
  expect(cluster.requests).toEqual([])
})
