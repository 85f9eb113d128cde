import { readFile } from 'node:fs/promises'
import { openAccess } from '../src/adapters/kube/access.ts'
import { createCluster } from '../src/adapters/kube/cluster.ts'
import { chooseContext } from '../src/adapters/kube/kubeconfig.ts'
import type { Cluster } from '../src/ports.ts'

export async function openCluster(kubeconfig: string): Promise<Cluster> {
  const context = chooseContext(
    [{ text: await readFile(kubeconfig, 'utf8'), name: kubeconfig, folder: '/' }],
    undefined,
  )
  return createCluster(
    await openAccess(context, {
      allowInsecure: false,
      mask: () => undefined,
      warn: () => undefined,
      env: {},
      workspace: import.meta.dirname,
    }),
  )
}
