/** Policies of a cluster whose refusals quote what they refuse. */
import { expect } from '@jest/globals'
import { documents } from '../manifests.ts'
import { eventually, type TestNamespace } from '../testbed.ts'

export interface Policy {
  /** As in URLs: `pods`. */
  readonly resource: string
  readonly group?: string
  /** CEL: true for what is let through. */
  readonly allows: string
  /** CEL: the words of the refusal. */
  readonly says: string
  /** kubectl arguments and an object that is refused once the policy is in force. */
  readonly probe: readonly [readonly string[], object]
}

/** Puts a policy in force in this namespace while `body` runs. */
export async function under<T>(namespace: TestNamespace, policy: Policy, body: () => Promise<T>): Promise<T> {
  const name = `${policy.resource}-${namespace.name}`
  const { resource, group = '' } = policy
  const rule = { apiGroups: [group], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: [resource] }
  const objects = [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        matchConditions: [{ name: 'here', expression: `request.namespace == '${namespace.name}'` }],
        validations: [{ expression: policy.allows, messageExpression: policy.says, message: 'refused' }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ]
  const [args, object] = policy.probe
  const probe = documents([object])
  const isInForce = async (): Promise<boolean> => {
    try {
      await namespace.kubectl([...args, '-f', '-'], probe)
    } catch (error) {
      if (!String(error).includes(name)) throw error
      return true
    }
    await namespace.kubectl(['delete', '--ignore-not-found', '-f', '-'], probe)
    return false
  }
  try {
    await namespace.kubectl(['create', '-f', '-'], documents(objects))
    // The API server takes a moment to put a policy into force, and another to forget it.
    await until(isInForce, true)
    return await body()
  } finally {
    const names = [`validatingadmissionpolicybinding/${name}`, `validatingadmissionpolicy/${name}`]
    await namespace.kubectl(['delete', '--ignore-not-found', ...names])
    await until(isInForce, false)
  }
}

function until(question: () => Promise<boolean>, answer: boolean): Promise<void> {
  return eventually(async () => expect(await question()).toBe(answer))
}
