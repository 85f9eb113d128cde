/** Manifests that the cluster tests deploy. What a pod does is chosen by a word in its image's tag: see testbed/README.md. */

export const IMAGE = 'registry.example/shop/web'

export interface AppOptions {
  readonly tag?: string
  readonly replicas?: number
  readonly deadlineSeconds?: number
  /** Fields of the container, as JSON. */
  readonly container?: Record<string, unknown>
  readonly data?: Record<string, string>
}

/** A ConfigMap, a Service and a Deployment, all called `web`. */
export function app({
  tag = 'v1',
  replicas = 2,
  deadlineSeconds = 3,
  container = {},
  data = { greeting: 'hello' },
}: AppOptions = {}): string {
  return documents([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    },
    deployment('web', { tag, replicas, deadlineSeconds, container }),
  ])
}

export function deployment(
  name: string,
  { tag = 'v1', replicas = 2, deadlineSeconds = 3, container = {} }: AppOptions = {},
): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      progressDeadlineSeconds: deadlineSeconds,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'app', image: `${IMAGE}:${tag}`, ...container }] },
      },
    },
  }
}

export function configMap(
  name: string,
  data: Record<string, string>,
  annotations: Record<string, string> = {},
): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations }, data }
}

/** JSON documents, which are YAML too. */
export function documents(objects: readonly object[]): string {
  return objects.map((object) => JSON.stringify(object, null, 2)).join('\n---\n')
}
