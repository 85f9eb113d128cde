import { isObject } from '../../manifest/object.ts'
import type { AccessRule, Cluster } from '../../ports.ts'
import type { HttpClient } from './http.ts'

/**
 * Asks the API server what this login may do. Every login may ask that of itself, by the ClusterRole `system:basic-user`
 * (https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access).
 */
export function createAccessReviews(http: HttpClient): Pick<Cluster, 'rules' | 'isAllowed' | 'userName'> {
  /** The status of a review: an answer under the name of an object, of which nothing is stored. */
  async function review(
    group: string,
    kind: string,
    spec: object,
    signal?: AbortSignal,
  ): Promise<Record<string, unknown>> {
    const answer = await http.json({
      method: 'POST',
      path: `/apis/${group}/v1/${kind.toLowerCase()}s`,
      contentType: 'application/json',
      body: JSON.stringify({ apiVersion: `${group}/v1`, kind, spec }),
      signal,
      what: `create ${kind.toLowerCase()}s.${group}`,
      repeatable: true,
    })
    return isObject(answer) && isObject(answer['status']) ? answer['status'] : {}
  }

  return {
    async rules(namespace, signal) {
      const status = await review('authorization.k8s.io', 'SelfSubjectRulesReview', { namespace }, signal)
      const rules = Array.isArray(status['resourceRules']) ? status['resourceRules'].filter(isObject) : []
      return rules.map((rule): AccessRule => ({
        verbs: texts(rule['verbs']),
        apiGroups: texts(rule['apiGroups']),
        resources: texts(rule['resources']),
        resourceNames: texts(rule['resourceNames']),
      }))
    },

    async isAllowed({ verb, group, resource, namespace, name }, signal) {
      const [plural, subresource] = resource.split('/')
      const resourceAttributes = { verb, group, resource: plural, subresource, namespace, name }
      const status = await review('authorization.k8s.io', 'SelfSubjectAccessReview', { resourceAttributes }, signal)
      return status['allowed'] === true
    },

    async userName(signal) {
      const { userInfo } = await review('authentication.k8s.io', 'SelfSubjectReview', {}, signal)
      return isObject(userInfo) && typeof userInfo['username'] === 'string' ? userInfo['username'] : ''
    },
  }
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
