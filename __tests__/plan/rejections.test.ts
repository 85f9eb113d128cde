import { expect, it } from '@jest/globals'
import { ClusterError, type ClusterErrorFacts } from '../../src/errors.ts'
import { isImmutable, problemFrom } from '../../src/plan/rejections.ts'

const REQUEST = 'patch deployments.apps web in namespace shop'

it.each<[string, string, Partial<ClusterErrorFacts>, { code: string; message: RegExp; hint: RegExp }]>([
  [
    'no connection',
    'https://10.0.0.1 refuses the connection',
    { status: 0 },
    { code: 'ClusterUnreachable', message: /refuses/, hint: /server address/ },
  ],
  [
    'overload',
    'too many requests',
    { status: 429 },
    { code: 'ClusterUnreachable', message: /too many/, hint: /run again/ },
  ],
  [
    'a rejected login',
    'Unauthorized',
    { status: 401 },
    { code: 'Forbidden', message: /does not accept the credentials/, hint: /token/ },
  ],
  [
    'a login plugin',
    'the login command aws failed',
    { status: 401, reason: 'LoginFailed' },
    { code: 'Forbidden', message: /the login command aws failed/, hint: /login/ },
  ],
  [
    'a missing right',
    'deployments.apps "web" is forbidden: User "x" cannot patch',
    { status: 403 },
    {
      code: 'Forbidden',
      message: /patch deployments\.apps web in namespace shop is forbidden/,
      hint: /can-i patch deployments\.apps --namespace shop/,
    },
  ],
  [
    'a missing right to create',
    'configmaps "web" is forbidden: User "x" cannot create resource "configmaps" in API group "" in the namespace "shop"',
    { status: 403 },
    {
      code: 'Forbidden',
      message: /is forbidden/,
      hint: /allow it in a Role: .*can-i create deployments\.apps --namespace shop/,
    },
  ],
  [
    'a missing right on namespaces',
    'namespaces "shop-pr-1" is forbidden: User "x" cannot delete resource "namespaces" in API group "" in the namespace "shop-pr-1"',
    { status: 403 },
    { code: 'Forbidden', message: /is forbidden/, hint: /allow it in a ClusterRole/ },
  ],
  [
    'a missing right on the whole cluster',
    'namespaces is forbidden: User "x" cannot list resource "namespaces" in API group "" at the cluster scope',
    { status: 403 },
    { code: 'Forbidden', message: /is forbidden/, hint: /allow it in a ClusterRole/ },
  ],
  [
    'a namespace that is going',
    'cannot create: namespace shop because it is being terminated',
    { status: 403 },
    { code: 'InvalidInput', message: /terminated/, hint: /wait/ },
  ],
  [
    'a quota',
    'pods "x" is forbidden: exceeded quota: small',
    { status: 403 },
    { code: 'QuotaOrAdmission', message: /exceeded quota/, hint: /quota/ },
  ],
  [
    'a webhook that says no',
    'admission webhook "policy.example" denied the request: no',
    { status: 400 },
    { code: 'QuotaOrAdmission', message: /denied/, hint: /policy/ },
  ],
  [
    'a webhook that does not answer',
    'Internal error occurred: failed calling webhook "x"',
    { status: 500 },
    { code: 'QuotaOrAdmission', message: /failed calling webhook/, hint: /policy/ },
  ],
  [
    'a missing namespace',
    'namespaces "shop" not found',
    { status: 404, kind: 'namespaces' },
    { code: 'InvalidInput', message: /not found/, hint: /create the namespace/ },
  ],
  [
    'an unknown kind',
    'the cluster does not serve Thing',
    { status: 404 },
    { code: 'InvalidManifest', message: /Thing/, hint: /api-resources/ },
  ],
  [
    'fields of others',
    'Apply failed with 2 conflicts',
    {
      status: 409,
      causes: [
        { reason: 'FieldManagerConflict', message: 'conflict with "helm" using apps/v1', field: '.spec.replicas' },
        { reason: 'FieldManagerConflict', message: 'conflict with "helm" using apps/v1', field: '.spec.paused' },
      ],
    },
    { code: 'Conflict', message: /"helm" owns \.spec\.replicas, \.spec\.paused/, hint: /force-conflicts/ },
  ],
  [
    'a write by others',
    'the object has been modified',
    { status: 409 },
    { code: 'Conflict', message: /modified/, hint: /run again/ },
  ],
  [
    'an immutable field',
    'spec.selector: Invalid value: field is immutable',
    { status: 422 },
    { code: 'Immutable', message: /immutable/, hint: /delete the object/ },
  ],
  [
    'an immutable StatefulSet',
    "Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
    { status: 422 },
    { code: 'Immutable', message: /statefulset/, hint: /delete/ },
  ],
  [
    'a wrong value',
    'spec.replicas: Invalid value: -1',
    { status: 422 },
    { code: 'InvalidManifest', message: /-1/, hint: /value/ },
  ],
  [
    'an unknown field',
    'failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.replicaz: field not declared in schema',
    { status: 500 },
    { code: 'InvalidManifest', message: /\.spec\.replicaz is not a field/, hint: /kubectl explain/ },
  ],
  [
    'anything else',
    'json: cannot unmarshal',
    { status: 400 },
    { code: 'InvalidManifest', message: /unmarshal/, hint: /manifest/ },
  ],
])('%s', (_name, message, facts, expected) => {
  const problem = problemFrom(
    new ClusterError(message, { status: 0, request: REQUEST, ...facts }),
    'Deployment shop/web',
  )
  expect(problem.code).toBe(expected.code)
  expect(problem.message).toMatch(/^Deployment shop\/web: /)
  expect(problem.message).toMatch(expected.message)
  expect(problem.hint).toMatch(expected.hint)
})

it.each([
  'spec.clusterIPs[0]: Invalid value: ["10.0.0.7"]: may not change once set',
  'roleRef: Invalid value: cannot change roleRef',
  'parameters: Forbidden: updates to parameters are forbidden.',
  'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`',
  'spec: Forbidden: spec is immutable after creation except resources.requests',
  'value: Forbidden: may not be changed in an update.',
  'data: Forbidden: field is immutable when `immutable` is set',
])('cannot change: %s', (message) => {
  expect(isImmutable(new ClusterError(message, { status: 422, request: REQUEST }))).toBe(true)
  expect(isImmutable(new ClusterError(message, { status: 403, request: REQUEST }))).toBe(false)
})
