/** kwok's Stages for nodes: Ready at once, and kept so. The leases are kwok's own doing. */
import type { KwokObject } from './pod-stages.ts'

const template = `
conditions:
{{ range NodeConditions }}
- type: {{ .type }}
  status: {{ .status | Quote }}
  reason: {{ .reason }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ Now | Quote }}
  lastTransitionTime: {{ $.metadata.creationTimestamp | Quote }}
{{ end }}
daemonEndpoints:
  kubeletEndpoint:
    Port: {{ NodePort }}
`

const READY = '.status.conditions[]? | select(.type == "Ready") | .status'

const stage = (name: string, operator: 'In' | 'NotIn', durationMilliseconds: number): KwokObject => ({
  apiVersion: 'kwok.x-k8s.io/v1alpha1',
  kind: 'Stage',
  metadata: { name },
  spec: {
    resourceRef: { apiGroup: 'v1', kind: 'Node' },
    selector: { matchExpressions: [{ jq: { key: READY, operator, values: ['True'] } }] },
    delay: { durationMilliseconds },
    steps: [{ patch: { subresource: 'status', root: 'status', template } }],
  },
})

export function nodeStages(): KwokObject[] {
  return [stage('node-ready', 'NotIn', 0), stage('node-heartbeat', 'In', 300_000)]
}
