/** Small builders for objects as the API server sends them, for table tests. */
import type { KubeObject } from '../../src/manifest/object.ts'

export interface DeploymentFacts {
  generation?: number
  observed?: number
  replicas?: number
  total?: number
  updated?: number
  available?: number
  deadlineSeconds?: number
  progressing?: { reason: string; at: string }
  uid?: string
  deleting?: boolean
}

export function deployment(name: string, facts: DeploymentFacts = {}): KubeObject {
  const generation = facts.generation ?? 2
  const { replicas = 3, total = replicas, updated = 0, available = 0, progressing } = facts
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace: 'shop',
      uid: facts.uid ?? `uid-${name}`,
      generation,
      resourceVersion: '1',
      ...(facts.deleting === true && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: { replicas, progressDeadlineSeconds: facts.deadlineSeconds ?? 600 },
    status: {
      observedGeneration: facts.observed ?? generation,
      replicas: total,
      updatedReplicas: updated,
      readyReplicas: available,
      availableReplicas: available,
      conditions: progressing
        ? [
            {
              type: 'Progressing',
              status: progressing.reason === 'ProgressDeadlineExceeded' ? 'False' : 'True',
              reason: progressing.reason,
              lastUpdateTime: progressing.at,
            },
          ]
        : [],
    },
  }
}
