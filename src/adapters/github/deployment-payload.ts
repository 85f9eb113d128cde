/** What Rollsafe writes into a deployment on GitHub to know it again. */
import { isObject } from '../../manifest/object.ts'

/** Whose a deployment is. */
export interface DeploymentOwner {
  readonly release: string
  /** Absent when the kubeconfig's context decides. */
  readonly namespace?: string
}

export interface DeploymentPayload extends DeploymentOwner {
  readonly by: 'rollsafe'
  readonly run: number
  readonly attempt: number
}

export function isOfRelease(payload: unknown, { release, namespace }: DeploymentOwner): boolean {
  const found = payloadOf(payload)
  return found['by'] === 'rollsafe' && found['release'] === release && found['namespace'] === namespace
}

export function isOfRun(payload: unknown, { run, attempt }: DeploymentPayload): boolean {
  const found = payloadOf(payload)
  return found['run'] === run && found['attempt'] === attempt
}

/** GitHub hands a payload back as it came, or as the JSON text of it. */
function payloadOf(payload: unknown): Record<string, unknown> {
  if (isObject(payload)) return payload
  if (typeof payload !== 'string') return {}
  try {
    const parsed: unknown = JSON.parse(payload)
    return isObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}
