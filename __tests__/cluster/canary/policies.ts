/** Policies of a cluster whose refusals quote what they refuse. */
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
  const isInForce = () =>
    namespace.kubectl([...args, '-f', '-'], documents([object])).then(
      () => false,
      (error: unknown) => String(error).includes(name),
    )
  // The API server takes a moment to put a policy into force, and out of it.
  const becomes = (wanted: boolean) =>
    eventually(async () => {
      if ((await isInForce()) !== wanted) throw new Error(`the policy ${name} is ${wanted ? 'not' : 'still'} in force`)
    })
  try {
    await namespace.kubectl(['create', '-f', '-'], documents(objects))
    await becomes(true)
    return await body()
  } finally {
    const names = [`validatingadmissionpolicybinding/${name}`, `validatingadmissionpolicy/${name}`]
    await namespace.kubectl(['delete', '--ignore-not-found', ...names])
    await becomes(false)
  }
}
