/** Releases with a secret in every kind of field, and pods that tell them. */
import { deployment, documents, IMAGE } from '../manifests.ts'
import type { Garden } from './plants.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const inUrl = (password: string): string => `postgres://shop:${encodeURIComponent(password)}@db:5432/shop`

function secret(name: string, type: string, fields: object): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type, ...fields }
}

function encoded(values: Record<string, string>): object {
  return { data: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, base64(value)])) }
}

function configMap(name: string, data: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }
}

interface PodOptions {
  readonly tag: string
  readonly container: object
  readonly initContainer?: object
  /** What the pod says, see testbed/README.md. */
  readonly annotations?: Record<string, string>
  readonly restartPolicy?: string
}

function pod({ tag, container, initContainer, annotations = {}, restartPolicy }: PodOptions, name: string): object {
  return {
    metadata: { labels: { app: name }, annotations },
    spec: {
      ...(restartPolicy !== undefined && { restartPolicy }),
      ...(initContainer && { initContainers: [{ name: 'init', image: `${IMAGE}:v1`, ...initContainer }] }),
      containers: [{ name: 'app', image: `${IMAGE}:${tag}`, ...container }],
    },
  }
}

function workload(name: string, options: PodOptions, annotations: Record<string, string> = {}): object {
  const plain = deployment(name, { replicas: 1, deadlineSeconds: 3 }) as { metadata: object; spec: object }
  return { ...plain, metadata: { name, annotations }, spec: { ...plain.spec, template: pod(options, name) } }
}

/** What pods say, and how: in the log of the file, and where there is less room. */
export interface Sayings {
  readonly logFile: string
  readonly says: string
}

/** The revision that is good. Values of its Secrets are words of which the page is full. */
export function firstRelease({ at }: Garden, { logFile, says }: Sayings, namespace: string): string {
  const hook = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', annotations: { 'rollsafe.dev/hook': 'pre-deploy' } },
    spec: {
      backoffLimit: 0,
      template: pod(
        {
          tag: 'v1-slow-1s',
          restartPolicy: 'Never',
          container: { env: [{ name: 'DB_PASSWORD', value: at('first Job: variable') }] },
          annotations: { 'testbed.rollsafe.dev/log': logFile },
        },
        'migrate',
      ),
    },
  }
  return documents([
    secret('ordinary', 'Opaque', {
      stringData: { namespace, release: 'shop', name: 'settings', image: `${IMAGE}:v1` },
    }),
    secret('first', 'Opaque', {
      ...encoded({ token: at('first Secret: data') }),
      stringData: { other: at('first Secret: stringData') },
    }),
    configMap('settings', { url: inUrl(at('first ConfigMap: password in a URL')), says }),
    workload('web', {
      tag: 'v1',
      container: { env: [{ name: 'API_TOKEN', value: at('first Deployment: variable') }] },
    }),
    hook,
  ])
}

/** What somebody has made by `kubectl apply`, before the second release takes it over. */
export function byKubectl({ at }: Garden): string {
  return documents([
    secret('live', 'Opaque', encoded({ password: at('live Secret: made by kubectl apply') })),
    configMap('live', { url: inUrl(at('live ConfigMap: password in a URL')) }),
    workload('live', {
      tag: 'v1',
      container: { env: [{ name: 'LIVE_TOKEN', value: at('live Deployment: variable made by kubectl apply') }] },
    }),
  ])
}

/** Every kind of field that may hold a secret. */
export function secondRelease({ at }: Garden, { logFile, says }: Sayings, tag: string): string {
  const docker = {
    auths: {
      'registry.example': {
        username: 'mona',
        password: at('Secret: Docker password'),
        auth: base64(`mona:${at('Secret: Docker auth')}`),
        identitytoken: at('Secret: Docker identity token'),
      },
    },
  }
  const oldDocker = { 'registry.example': { username: 'mona', password: at('Secret: old Docker password') } }
  return documents([
    secret('opaque', 'Opaque', {
      ...encoded({
        one: at('Secret: data'),
        lines: at('Secret: data, many lines'),
        digits: at('Secret: data, digits'),
        twice: base64(at('Secret: data, base64 of base64')),
      }),
      stringData: {
        written: at('Secret: stringData'),
        spaces: at('Secret: stringData with spaces'),
        escapes: at('Secret: stringData that looks escaped'),
        world: at('Secret: stringData of all the world'),
        'app.json': JSON.stringify({ db: { apiKey: at('Secret: field of a JSON file') } }),
        '.env': `LEVEL=debug\nexport APP_TOKEN="${at('Secret: line of an env file')}"\n`,
        'app.yaml': `db:\n  password: ${at('Secret: line of a YAML file')}\n  port: 5432\n`,
        url: inUrl(at('Secret: password in a URL')),
      },
    }),
    secret('immutable', 'Opaque', { ...encoded({ one: at('Secret: immutable') }), immutable: true }),
    secret(
      'tls',
      'kubernetes.io/tls',
      encoded({ 'tls.crt': at('Secret: TLS certificate'), 'tls.key': at('Secret: TLS key') }),
    ),
    secret('docker', 'kubernetes.io/dockerconfigjson', encoded({ '.dockerconfigjson': JSON.stringify(docker) })),
    secret('old-docker', 'kubernetes.io/dockercfg', encoded({ '.dockercfg': JSON.stringify(oldDocker) })),
    secret('basic', 'kubernetes.io/basic-auth', {
      stringData: { username: at('Secret: basic-auth user'), password: at('Secret: basic-auth password') },
    }),
    secret('ssh', 'kubernetes.io/ssh-auth', encoded({ 'ssh-privatekey': at('Secret: SSH key') })),
    secret('token', 'example.dev/bootstrap', encoded({ token: at('Secret: bootstrap token') })),
    configMap('settings', {
      'db.password': at('ConfigMap: entry'),
      'app.properties': `level=debug\nsmtp.password=${at('ConfigMap: line of properties')}\n`,
      url: inUrl(at('ConfigMap: password in a URL')),
    }),
    workload(
      'web',
      {
        tag,
        container: {
          env: [
            { name: 'API_TOKEN', value: at('Deployment: variable') },
            { name: 'CLIENT_SECRET', value: at('Deployment: another variable') },
            { name: 'DATABASE_URL', value: inUrl(at('Deployment: password in a URL of a variable')) },
          ],
          args: [`--password=${at('Deployment: option')}`, '--api-key', at('Deployment: option and its value')],
        },
        initContainer: { env: [{ name: 'SIGNING_KEY', value: at('Deployment: variable of an init container') }] },
        annotations: { 'testbed.rollsafe.dev/log': logFile, 'testbed.rollsafe.dev/says': says },
      },
      { 'example.dev/backup': inUrl(at('Deployment: annotation with a password in a URL')) },
    ),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: {
        selector: { matchLabels: { app: 'db' } },
        serviceName: 'db',
        template: pod(
          { tag: 'v1', container: { env: [{ name: 'PGPASSWORD', value: at('StatefulSet: variable') }] } },
          'db',
        ),
      },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'report' },
      spec: {
        schedule: '0 0 1 1 *',
        jobTemplate: {
          spec: {
            template: pod(
              {
                tag: 'v1',
                restartPolicy: 'Never',
                container: { env: [{ name: 'REPORT_SECRET', value: at('CronJob: variable') }] },
              },
              'report',
            ),
          },
        },
      },
    },
    secret('live', 'Opaque', encoded({ password: at('Secret: data') })),
    configMap('live', { url: 'postgres://db:5432/shop' }),
    workload('live', { tag: 'v1', container: { env: [{ name: 'LEVEL', value: 'debug' }] } }),
  ])
}

/** Objects that the API server refuses with words that quote them. */
export function refusedObjects({ at }: Garden, says: string): string {
  const quoted = { name: 'quoted', labels: { token: at('Secret: stringData') } }
  const { metadata: _metadata, ...plain } = deployment('quoted') as { metadata: object }
  return documents([
    { ...plain, metadata: quoted },
    secret('not-base64', 'Opaque', { data: { token: at('Secret: stringData with spaces') } }),
    secret('no-docker', 'kubernetes.io/dockerconfigjson', encoded({ '.dockerconfigjson': at('Secret: data') })),
    configMap('said', { says }),
  ])
}
