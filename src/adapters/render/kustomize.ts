import { relative } from 'node:path'
import { type Problem, rejectIfAny } from '../../errors.ts'
import type { SourceFile } from '../../ports.ts'
import { findInCheckout } from './checkout-path.ts'
import { kustomizationProblems } from './kustomization.ts'
import { findTool, runTool, type ToolPlace } from './tool.ts'

const SET_UP =
  'Install one in a step before this one, for instance by azure/setup-kubectl. The runners of GitHub have both.'

/**
 * Builds a kustomization with the `kustomize` of the runner, else with that of `kubectl`. Nothing is fetched and no plugin runs: what
 * the kustomization names must be in the checkout. Throws RejectedError.
 */
export async function buildKustomization(directory: string, place: ToolPlace): Promise<SourceFile[]> {
  const { root } = place
  const problems: Problem[] = []
  const insteadOfUrl = 'Check it out in a step before this one, at a fixed commit, and name the directory.'
  const path = await findInCheckout(root, directory, { input: 'kustomize', kind: 'directory', insteadOfUrl }, problems)
  if (path !== undefined) problems.push(...(await kustomizationProblems(root, path)))
  rejectIfAny(problems)
  if (path === undefined) return []
  const tool = await findTool(['kustomize', 'kubectl'], 'kustomize', SET_UP, place)
  const verb = tool.name === 'kubectl' ? 'kustomize' : 'build'
  const shown = relative(root, path) || '.'
  const args = [verb, path, '--load-restrictor', 'LoadRestrictionsRootOnly']
  const text = await runTool(tool, args, `the kustomization ${shown}`, place)
  return [{ path: `${tool.name} ${verb} ${shown}`, text }]
}
