import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type Problem, rejectIfAny } from '../../errors.ts'
import type { HelmSource } from '../../inputs/sources.ts'
import type { ChartFacts, SourceFile } from '../../ports.ts'
import { isInside } from '../inside.ts'
import { findInCheckout } from './checkout-path.ts'
import { MAX_FILE_BYTES } from './limits.ts'
import { findTool, runTool, type ToolPlace } from './tool.ts'

const SET_UP = 'Install it in a step before this one, for instance by azure/setup-helm. The runners of GitHub have it.'

/**
 * Renders a chart as `helm template` does, for the cluster and the release that `facts` tell of. Nothing is fetched, no plugin
 * runs, and `lookup` finds nothing. Throws RejectedError.
 */
export async function renderChart(
  { chart, values, set }: HelmSource,
  facts: () => Promise<ChartFacts>,
  place: ToolPlace,
): Promise<SourceFile[]> {
  const { root, signal } = place
  const problems: Problem[] = []
  const path = await findInCheckout(root, chart, CHART, problems)
  if (path !== undefined) problems.push(...(await chartProblems(root, path)))
  const files: string[] = []
  for (const line of values) {
    const file = await findInCheckout(root, line, VALUES, problems)
    if (file !== undefined && (await stat(file)).size > MAX_FILE_BYTES) {
      const hint = 'Keep data out of it.'
      problems.push({ code: 'InvalidInput', message: `the input helm-values: "${line}" is larger than 10 MiB`, hint })
    }
    files.push(file ?? line)
  }
  rejectIfAny(problems)
  if (path === undefined) return []
  const tool = await findTool(['helm'], 'helm-chart', SET_UP, place)
  const { release, namespace, isUpgrade, kubernetes } = await facts()
  signal?.throwIfAborted()
  const args = [
    'template',
    release,
    path,
    `--namespace=${namespace}`,
    '--include-crds',
    `--kube-version=${kubernetes.version}`,
    ...kubernetes.apiVersions.map((apiVersion) => `--api-versions=${apiVersion}`),
    ...(isUpgrade ? ['--is-upgrade'] : []),
    ...files.map((file) => `--values=${file}`),
    ...set.map((line) => `--set=${line}`),
  ]
  const shown = relative(root, path) || '.'
  return [{ path: `helm template ${shown}`, text: await runTool(tool, args, `the chart ${shown}`, place) }]
}

const CHART = {
  input: 'helm-chart',
  kind: 'directory',
  insteadOfUrl: 'Run "helm pull --untar" in a step before this one, with a fixed version, and name the directory.',
} as const

const VALUES = {
  input: 'helm-values',
  kind: 'file',
  insteadOfUrl: 'Download it in a step before this one, check what it is, and name the file.',
} as const

/** helm follows links inside a chart, wherever they lead, and puts what is there into ConfigMaps if the chart says so. */
async function chartProblems(root: string, chart: string): Promise<Problem[]> {
  const problems: Problem[] = []
  const refuse = (message: string, hint: string) =>
    problems.push({ code: 'InvalidInput', message: `the input helm-chart: ${message}`, hint })
  if (!(await readdir(chart)).includes('Chart.yaml')) {
    refuse(`"${relative(root, chart) || '.'}" has no Chart.yaml`, 'Name the directory of a chart.')
    return problems
  }
  const visited = new Set<string>()
  const enter = async (directory: string): Promise<void> => {
    if (visited.has(directory)) return
    visited.add(directory)
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) await enter(path)
      if (!entry.isSymbolicLink()) continue
      const shown = relative(root, path)
      const real = await realpath(path).catch(() => undefined)
      if (real === undefined) refuse(`"${shown}" is a link to nothing`, 'Mend the link, or remove it.')
      else if (!isInside(root, real)) {
        refuse(`"${shown}" is a link that leads outside the workspace`, 'Copy what it leads to into the chart.')
      } else if ((await stat(real)).isDirectory()) await enter(real)
    }
  }
  await enter(chart)
  return problems
}
