/** How many pods a Deployment has asked for at once, over all of its ReplicaSets. */
import { isObject, type KubeObject } from '../../src/manifest/object.ts'
import { connect } from './settled.ts'
import type { TestNamespace } from './testbed.ts'

export interface AskedPods extends AsyncDisposable {
  /** The most so far. */
  most(): number
}

/**
 * Watches the ReplicaSets of a Deployment. The controller keeps its bounds in what it asks of them
 * (GetReplicaCountForReplicaSets in pkg/controller/deployment/util/deployment_util.go, where its own end-to-end tests look
 * too); each of them makes and deletes its pods in its own time, so that pods, and any status that counts them, may be
 * over the bound for a moment.
 */
export async function watchAskedPods(namespace: TestNamespace, deployment: string): Promise<AskedPods> {
  const cluster = await connect()
  const over = new AbortController()
  const asked = new Map<string, number>()
  let most = 0
  const query = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    namespace: namespace.name,
    labelSelector: `app=${deployment}`,
  }
  const { promise: listed, resolve: onListed, reject: onFailed } = Promise.withResolvers<void>()
  const ended = (async () => {
    for await (const seen of cluster.watch(query, { signal: over.signal })) {
      if (seen.type === 'lost' || seen.type === 'found') continue
      if (seen.type === 'listed') asked.clear()
      for (const object of seen.type === 'listed' ? seen.objects : [seen.object]) {
        const uid = object.metadata.uid ?? ''
        if (seen.type === 'deleted') asked.delete(uid)
        else asked.set(uid, replicasOf(object))
      }
      most = Math.max(
        most,
        [...asked.values()].reduce((sum, replicas) => sum + replicas, 0),
      )
      onListed()
    }
  })().catch((error: unknown) => {
    if (!over.signal.aborted) throw error
  })
  ended.catch(onFailed)
  await listed
  return {
    most: () => most,
    async [Symbol.asyncDispose]() {
      over.abort()
      await ended
      await cluster[Symbol.asyncDispose]()
    },
  }
}

function replicasOf({ spec }: KubeObject): number {
  return isObject(spec) && typeof spec['replicas'] === 'number' ? spec['replicas'] : 1
}
