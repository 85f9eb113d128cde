import type { ClusterError, Problem, SourcePosition } from '../errors.ts'
import { readConflicts } from './ownership.ts'

/** What an answer of the API server means for the person whose deploy it ended. */
export function problemFrom(error: ClusterError, subject: string, at?: SourcePosition): Problem {
  const problem = (code: Problem['code'], message: string, hint: string): Problem => ({
    code,
    message: `${subject}: ${message}`,
    hint,
    ...(at && { at }),
  })
  const said = firstLine(error.message)

  if (error.isUnreachable && !isAdmission(said)) {
    return problem(
      'ClusterUnreachable',
      said,
      'check the server address in the kubeconfig and that the runner can reach it, then run again',
    )
  }
  if (error.isSchemaError) {
    const field = /(\.[^\s:]+): field not declared in schema/.exec(said)?.[1]
    const what = field === undefined ? said : `${field} is not a field of this kind`
    return problem(
      'InvalidManifest',
      what,
      'correct the name or the indentation of the field; kubectl explain shows which fields there are',
    )
  }
  if (isAdmission(said)) {
    return problem(
      'QuotaOrAdmission',
      said,
      "change the manifest to satisfy the cluster's policy or quota, or ask its owner for an exception",
    )
  }
  switch (error.status) {
    case 401:
      return problem(
        'Forbidden',
        loginFailure(error),
        'check that the token or the login in the kubeconfig is still valid',
      )
    case 403:
      if (/because it is being terminated/.test(said)) {
        return problem('InvalidInput', said, 'wait until the namespace is gone, or choose another one')
      }
      return problem(
        'Forbidden',
        `${error.request} is forbidden (${said})`,
        `allow it in a ${isClusterScoped(said) ? 'ClusterRole' : 'Role'}: kubectl auth can-i ${canI(error)}`,
      )
    case 404:
      if (error.kind === 'namespaces') {
        return problem(
          'InvalidInput',
          said,
          'create the namespace first, add it to the manifests, or correct the input namespace',
        )
      }
      return problem(
        'InvalidManifest',
        said,
        'check apiVersion and kind against kubectl api-resources; install the CustomResourceDefinition first if it is one',
      )
    case 409:
      return conflictProblem(error, problem)
    case 422:
      if (isImmutable(error)) {
        return problem(
          'Immutable',
          said,
          'Kubernetes does not let this field change: delete the object and deploy again, or keep the old value',
        )
      }
      return problem('InvalidManifest', said, 'correct the value')
    default:
      return problem('InvalidManifest', said, 'correct the manifest; the API server refuses it as it is')
  }
}

/**
 * In how many words the API server says that a field cannot change: apimachinery's ValidateImmutableField, and the validation of
 * StatefulSets, Pods, Services, role bindings, storage classes, priority classes and volumes in kubernetes/pkg/apis.
 */
const IMMUTABLE =
  /immutable|may not change once set|updates to .* for fields other than|updates may not change fields other than|updates to \S+ are forbidden|cannot change roleRef|may not be changed in an update/

/** The change is refused because a field of the object cannot change, at least among other reasons. */
export function isImmutable({ status, message }: ClusterError): boolean {
  return status === 422 && IMMUTABLE.test(message)
}

function conflictProblem(
  error: ClusterError,
  problem: (code: Problem['code'], message: string, hint: string) => Problem,
): Problem {
  const conflicts = readConflicts(error.causes)
  if (conflicts.length === 0) {
    return problem(
      'Conflict',
      firstLine(error.message),
      'somebody else is writing the same object: run again when they are done',
    )
  }
  const owners = new Map<string, string[]>()
  for (const { manager, field } of conflicts) owners.set(manager, [...(owners.get(manager) ?? []), field])
  const list = [...owners].map(([manager, fields]) => `${JSON.stringify(manager)} owns ${fields.join(', ')}`).join('; ')
  return problem(
    'Conflict',
    list,
    'take the fields out of the manifest, or set force-conflicts: true to take them over',
  )
}

function isAdmission(message: string): boolean {
  return /admission webhook|failed calling webhook|exceeded quota|violates PodSecurity|ValidatingAdmissionPolicy|failed quota/.test(
    message,
  )
}

function loginFailure(error: ClusterError): string {
  return error.reason === 'LoginFailed'
    ? error.message
    : 'the API server does not accept the credentials in the kubeconfig (401 Unauthorized)'
}

/** Of a Namespace the API server says "in the namespace", though a Role in it would come too late for making it, and go with it. */
function isClusterScoped(said: string): boolean {
  return / at the cluster scope| resource "namespaces"/.test(said)
}

/** The question whose answer is no. The server names what is missing: to apply a new object takes `create` too. */
function canI({ request, message }: ClusterError): string {
  const [askedVerb, resource] = request.split(' ')
  const verb = /cannot (\w+) resource/.exec(message)?.[1] ?? askedVerb
  const namespace = / in namespace (\S+)$/.exec(request)?.[1]
  return `${verb} ${resource}${namespace === undefined ? '' : ` --namespace ${namespace}`}`
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').trim()
}
