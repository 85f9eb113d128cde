/** The least that a client can do for an update: apply all objects at once and watch the Deployments until they are done. */
import { Agent, request } from 'undici'
import { chooseContext } from '../src/adapters/kube/kubeconfig.ts'
import { openAccess } from '../src/adapters/kube/access.ts'
import type { KubeObject } from '../src/manifest/object.ts'
import { statusOf } from '../src/rollout/status.ts'

const COLLECTIONS: Readonly<Record<string, string>> = {
  ConfigMap: 'api/v1/namespaces/NAMESPACE/configmaps',
  Service: 'api/v1/namespaces/NAMESPACE/services',
  Deployment: 'apis/apps/v1/namespaces/NAMESPACE/deployments',
}

export async function leastUpdate(kubeconfig: string, objects: readonly object[], namespace: string): Promise<void> {
  const context = chooseContext([{ text: kubeconfig, name: 'kubeconfig', folder: '/' }], undefined)
  const access = await openAccess(context, {
    allowInsecure: false,
    mask: () => undefined,
    warn: () => undefined,
    env: {},
    workspace: import.meta.dirname,
  })
  const dispatcher = new Agent({
    connect: { ...access.tls, ...(await access.credentials()).certificate },
    allowH2: false,
  })
  const headers = { 'user-agent': 'least-client/1' }
  const url = (kind: string) => `${access.server}/${COLLECTIONS[kind]?.replace('NAMESPACE', namespace)}`
  const generations = new Map<string, number>()
  const waiting = new Set<string>()

  await Promise.all(
    (objects as KubeObject[]).map(async (object) => {
      const { kind, metadata } = object
      const response = await request(`${url(kind)}/${metadata.name}?fieldManager=least-client&force=true`, {
        method: 'PATCH',
        dispatcher,
        headers: { ...headers, 'content-type': 'application/apply-patch+yaml' },
        body: JSON.stringify(object),
      })
      const applied = (await response.body.json()) as KubeObject
      if (response.statusCode >= 300) throw new Error(JSON.stringify(applied))
      if (kind !== 'Deployment') return
      generations.set(metadata.name, applied.metadata.generation ?? 0)
      waiting.add(metadata.name)
    }),
  )

  const { body } = await request(`${url('Deployment')}?watch=true`, { dispatcher, headers })
  let rest = ''
  for await (const chunk of body.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const { object } = JSON.parse(line) as { object: KubeObject }
      const { name } = object.metadata
      if (statusOf(object, { generation: generations.get(name) ?? 0 }).state === 'healthy') waiting.delete(name)
    }
    if (waiting.size === 0) break
  }
  await dispatcher.destroy()
}
