/** The pods of a StatefulSet by their place in it. */
import type { StatefulSet } from '../manifest/kinds.ts'
import type { PodFacts } from '../rollout/pod-facts.ts'

export interface Slot {
  /** From 0 on, wherever `spec.ordinals.start` is: a partition counts from there, too. */
  readonly index: number
  readonly name: string
  readonly pod?: PodFacts
}

/** A slot for each replica in ascending order, and the pods beyond them, highest ordinal first. */
export function podsInOrder(
  { metadata, spec }: StatefulSet,
  pods: readonly PodFacts[],
): { readonly slots: readonly Slot[]; readonly extra: readonly PodFacts[] } {
  const start = spec?.ordinals?.start ?? 0
  const names = Array.from({ length: spec?.replicas ?? 1 }, (_, index) => `${metadata.name}-${start + index}`)
  const byName = new Map<string, PodFacts>()
  for (const pod of pods) {
    // Of two under one name, one is gone already and only still listed.
    if (byName.get(pod.name)?.deleting !== false) byName.set(pod.name, pod)
  }
  const slots = names.map((name, index): Slot => {
    const pod = byName.get(name)
    return { index, name, ...(pod && { pod }) }
  })
  const ordinal = ({ name }: PodFacts) => Number(name.slice(name.lastIndexOf('-') + 1))
  const extra = [...byName.values()]
    .filter(({ name }) => !names.includes(name))
    .toSorted((a, b) => ordinal(b) - ordinal(a))
  return { slots, extra }
}
