import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { changedKubeconfig, createLogin } from './login.ts'
import { app, deployment, documents } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { snapshot } from './snapshot.ts'
import { testbed, withNamespace } from './testbed.ts'

interface Rejection {
  readonly name: string
  readonly files?: Record<string, string>
  readonly inputs?: () => Promise<Record<string, string>>
  readonly reason: string
  readonly message: RegExp
  readonly hint: RegExp
}

const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'first' }, data: {} }

const REJECTIONS: Rejection[] = [
  {
    name: 'a missing file',
    inputs: async () => ({ manifests: 'k8s/missing.yaml' }),
    reason: 'InvalidInput',
    message: /k8s\/missing\.yaml/,
    hint: /./,
  },
  {
    name: 'a directory without manifests',
    files: { 'empty/readme.txt': '' },
    inputs: async () => ({ manifests: 'empty' }),
    reason: 'InvalidInput',
    message: /empty/,
    hint: /./,
  },
  {
    name: 'an unknown kind',
    files: {
      'k8s/a.yaml': documents([CONFIG, { apiVersion: 'apps/v1', kind: 'Deploymint', metadata: { name: 'web' } }]),
    },
    reason: 'InvalidManifest',
    message: /does not know the kind Deploymint in apps\/v1/,
    hint: /api-resources/,
  },
  {
    name: 'broken YAML',
    files: { 'k8s/a.yaml': 'apiVersion: v1\nkind: [ConfigMap\n' },
    reason: 'InvalidManifest',
    message: /./,
    hint: /./,
  },
  {
    name: 'the same object twice',
    files: { 'k8s/a.yaml': documents([CONFIG]), 'k8s/b.yaml': documents([CONFIG]) },
    reason: 'InvalidManifest',
    message: /first/,
    hint: /./,
  },
  {
    name: 'a namespace that does not exist',
    files: { 'k8s/a.yaml': documents([CONFIG]) },
    inputs: async () => ({ namespace: 'no-such-namespace' }),
    reason: 'InvalidInput',
    message: /no-such-namespace/,
    hint: /create the namespace/,
  },
  {
    name: 'a server that does not answer',
    files: { 'k8s/a.yaml': documents([CONFIG]) },
    inputs: () =>
      changedKubeconfig(({ clusters: [{ cluster }] }) => Object.assign(cluster, { server: 'https://127.0.0.1:1' })),
    reason: 'ClusterUnreachable',
    message: /https:\/\/127\.0\.0\.1:1 refuses the connection/,
    hint: /server address/,
  },
  {
    name: 'a wrong token',
    files: { 'k8s/a.yaml': documents([CONFIG]) },
    inputs: () => changedKubeconfig((config) => (config.users[0].user = { token: 'not-a-token-of-this-cluster' })),
    reason: 'Forbidden',
    message: /does not accept the credentials/,
    hint: /token/,
  },
  {
    name: 'a certificate of somebody else',
    files: { 'k8s/a.yaml': documents([CONFIG]) },
    inputs: () => changedKubeconfig(({ clusters: [{ cluster }] }) => delete cluster['certificate-authority-data']),
    reason: 'ClusterUnreachable',
    message: /certificate/,
    hint: /./,
  },
  {
    name: 'an unknown field',
    files: {
      'k8s/a.yaml': documents([
        CONFIG,
        { ...deployment('web'), spec: { ...Object(deployment('web')).spec, replicaz: 3 } },
      ]),
    },
    reason: 'InvalidManifest',
    message: /Deployment \S+\/web: \.spec\.replicaz is not a field of this kind/,
    hint: /kubectl explain/,
  },
  {
    name: 'a value of the wrong type',
    files: {
      'k8s/a.yaml': documents([
        CONFIG,
        { ...deployment('web'), spec: { ...Object(deployment('web')).spec, replicas: 'three' } },
      ]),
    },
    reason: 'InvalidManifest',
    message: /replicas/,
    hint: /./,
  },
  {
    name: 'a selector that does not match',
    files: {
      'k8s/a.yaml': documents([
        CONFIG,
        {
          ...deployment('web'),
          spec: { ...Object(deployment('web')).spec, selector: { matchLabels: { app: 'other' } } },
        },
      ]),
    },
    reason: 'InvalidManifest',
    message: /selector/,
    hint: /./,
  },
  {
    name: 'an image that matches nothing',
    files: { 'k8s/a.yaml': app() },
    inputs: async () => ({ images: 'registry.example/other:v2' }),
    reason: 'ImageNotMatched',
    message: /registry\.example\/other:v2/,
    hint: /./,
  },
  {
    name: 'no kubeconfig',
    files: { 'k8s/a.yaml': documents([CONFIG]) },
    inputs: async () => ({ kubeconfig: 'bm90IG9uZQ==' }),
    reason: 'InvalidInput',
    message: /kubeconfig/,
    hint: /./,
  },
]

/** Requests that Rollsafe sent to change something in a namespace, but for its lock, which is gone again at the end. */
async function writes(namespace: string): Promise<string[]> {
  const events = (await readFile(testbed().auditLog, 'utf8'))
    .split('\n')
    .filter((line) => line.includes(namespace) && line.includes('rollsafe/'))
  return events
    .map(
      (line) =>
        JSON.parse(line) as {
          verb: string
          requestURI: string
          userAgent: string
          objectRef?: { namespace?: string; resource?: string }
        },
    )
    .filter(
      ({ verb, requestURI, userAgent, objectRef }) =>
        userAgent.startsWith('rollsafe/') &&
        objectRef?.namespace === namespace &&
        !['get', 'list', 'watch'].includes(verb) &&
        objectRef.resource !== 'leases' &&
        !requestURI.includes('dryRun=All'),
    )
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`)
}

describe('nothing is written, and the cause and a hint are told, for', () => {
  it.each(REJECTIONS)('$name', ({ files = {}, inputs = async () => ({}), reason, message, hint }) =>
    withNamespace('reject', async (namespace) => {
      const before = await snapshot(namespace)
      await using checkout = await createCheckout(files)
      // Nothing but Rollsafe holds the administrator back.
      const login = 'administrator'
      const result = await checkout.run({ namespace: namespace.name, ...(await inputs()) }, { login })
      expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', changed: 'false', reason } })
      expect(result.outputs['message']).toMatch(message)
      expect(result.outputs['message']).not.toContain('\n')
      expect(result.report.hint).toMatch(hint)
      expect(await snapshot(namespace)).toEqual(before)
      expect(await writes(namespace.name)).toEqual([])
    }),
  )

  it.each<[string, string[], string, string]>([
    [
      'applying',
      ['get', 'list', 'watch'],
      'create, patch, update, delete on configmaps; create, patch, update, delete on deployments.apps',
      '    resources: [deployments]\n    verbs: [create, patch, update, delete]\n',
    ],
    [
      'the way back',
      ['get', 'create', 'patch'],
      'update, delete on configmaps; update, delete on deployments.apps',
      '    resources: [deployments]\n    verbs: [list, watch, update, delete]\n',
    ],
  ])('a login without the rights for %s, until the YAML of the report is applied', (_name, verbs, missing, rule) =>
    withNamespace('rbac', async (namespace) => {
      const { name } = namespace
      const { input, token } = await createLogin(namespace, verbs, 'configmaps,deployments.apps')
      await using checkout = await createCheckout({ 'k8s/a.yaml': documents([CONFIG, deployment('web')]) })
      const result = await checkout.run({ namespace: name, ...input })
      expect(result).toMatchObject({
        exitCode: 1,
        outputs: {
          outcome: 'rejected',
          reason: 'Forbidden',
          changed: 'false',
          message: `the login lacks rights that this release, or its way back, needs in namespace ${name}: ${missing}`,
        },
      })
      expect(result.log).not.toContain(token)
      expect(await writes(name)).toEqual([])

      const yaml = result.report.problems[0]?.paste ?? ''
      expect(yaml).toContain(rule)
      expect(result.log).toContain(`\n${yaml}\n`)
      expect(result.summary).toContain(`\`\`\`yaml\n${yaml}\n\`\`\``)
      await namespace.kubectl(['apply', '-f', '-'], yaml)
      expect(await checkout.run({ namespace: name, ...input })).toMatchObject({ outputs: { outcome: 'deployed' } })
    }),
  )
})
