import type { KubeObject } from '../manifest/object.ts'
import { PREVIEW_REPOSITORY_LABEL } from './preview-labels.ts'

const NAME = 'rollsafe-preview'

/**
 * What keeps a preview from taking a cluster's room, and previews from reaching each other. Each of them counts only where the
 * manifests have nothing of its kind.
 */
export function guardsFor(namespace: string): KubeObject[] {
  const metadata = { name: NAME, namespace }
  return [
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata,
      spec: { hard: { pods: '30', 'requests.cpu': '4', 'requests.memory': '8Gi', 'requests.storage': '20Gi' } },
    },
    // The quota refuses pods that request nothing. No limits: one that is too low would kill what runs well elsewhere.
    {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata,
      spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '50m', memory: '64Mi' } }] },
    },
    // Ingress controllers and gateways send their requests from namespaces of their own, which are no previews.
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata,
      spec: {
        podSelector: {},
        policyTypes: ['Ingress'],
        ingress: [
          {
            from: [
              { podSelector: {} },
              {
                namespaceSelector: {
                  matchExpressions: [{ key: PREVIEW_REPOSITORY_LABEL, operator: 'DoesNotExist' }],
                },
              },
            ],
          },
        ],
      },
    },
  ]
}
