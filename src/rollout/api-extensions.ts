/** Objects that add kinds to the API server. */
import type { APIService, CustomResourceDefinition } from '../manifest/kinds.ts'
import { conditionOf, saidBy, trueCondition } from './conditions.ts'
import type { Status } from './state.ts'

/** https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/ */
export function crdStatus(crd: CustomResourceDefinition): Status {
  const names = conditionOf(crd, 'NamesAccepted')
  if (names?.status === 'False') {
    return { state: 'failed', reason: 'Conflict', message: `its names are taken: ${saidBy(names)}` }
  }
  if (!trueCondition(crd, 'Established')) return { state: 'progressing', message: 'is not established yet' }
  const served = (crd.spec?.versions ?? []).filter((version) => version.served).map(({ name }) => name)
  return { state: 'healthy', message: `is established and serves ${served.join(', ')}` }
}

/** Available once the pods behind it answer; an API server that cannot reach them tries again and again. */
export function apiServiceStatus(service: APIService): Status {
  const available = conditionOf(service, 'Available')
  if (available?.status === 'True') return { state: 'healthy', message: 'is available' }
  return {
    state: 'progressing',
    message: available ? `is not available: ${saidBy(available)}` : 'is not available yet',
  }
}
