/** A stand-in for kind, which needs a container engine: the cluster is there already, and is named as kind's action would name it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const KIND = 'helm/kind-action@ef37e7f390d99f746eb8b610417061a60e82a6cc'

export interface KindAction extends AsyncDisposable {
  readonly folder: string
}

/** An action that leaves for the steps after it what kind-action does: the path of a kubeconfig in the environment. */
export async function createKindAction(kubeconfig: string): Promise<KindAction> {
  const folder = await mkdtemp(join(tmpdir(), 'rollsafe-kind-'))
  const path = join(folder, 'kubeconfig')
  const action = {
    name: 'Testbed',
    description: 'Names the kubeconfig of the testbed',
    runs: {
      using: 'composite',
      steps: [{ shell: 'bash', run: `echo 'KUBECONFIG=${path}' >> "$GITHUB_ENV"` }],
    },
  }
  await writeFile(path, kubeconfig)
  await writeFile(join(folder, 'action.yml'), JSON.stringify(action))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
