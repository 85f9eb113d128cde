import { keyOf, type KubeObject, type Manifest, refOf } from '../../manifest/object.ts'
import { RELEASE_LABEL } from '../../plan/desired.ts'
import type { Cluster } from '../../ports.ts'
import { sourceOf } from '../../rollout/sources.ts'
import { mapLimited } from '../concurrency.ts'

/** Up to this many objects of a kind and namespace, a list saves no requests over reading each. */
export const READ_EACH = 1

/**
 * The objects of a release as they are now, by key; what does not exist is not in the map. Lists by the release's label, so
 * that the cost does not grow with what else lives in the namespace, and reads the rest one by one.
 */
export async function readLive(
  cluster: Cluster,
  manifests: readonly Manifest[],
  release: string,
): Promise<Map<string, KubeObject>> {
  const objects = manifests.map(({ object }) => object)
  const live = new Map<string, KubeObject>()
  const bySource = Object.values(Object.groupBy(objects, (object) => sourceOf({ ...object, ...refOf(object) })))
  await mapLimited(
    bySource.flatMap((group) => (group && group.length > READ_EACH ? [group] : [])),
    async ([first]) => {
      if (!first) return
      const listed = await cluster.list({ ...refOf(first), labelSelector: `${RELEASE_LABEL}=${release}` })
      for (const object of listed.objects) live.set(keyOf(refOf(object)), object)
    },
  )
  await mapLimited(objects, async (object) => {
    const key = keyOf(refOf(object))
    if (live.has(key)) return
    const found = await cluster.get(refOf(object))
    if (found) live.set(key, found)
  })
  const wanted = new Set(objects.map((object) => keyOf(refOf(object))))
  return new Map([...live].filter(([key]) => wanted.has(key)))
}
