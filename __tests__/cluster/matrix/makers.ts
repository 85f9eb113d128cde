/** The ways in which a release can have come to be before Rollsafe deploys a bad one, and how life goes on after it. */
import { expect } from '@jest/globals'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildTool } from '../../../testbed/build.ts'
import { run } from '../../../testbed/run.ts'
import type { Checkout, RunResult } from '../rollsafe.ts'
import { testbed, type TestNamespace } from '../testbed.ts'
import type { Maker, WorkloadCase } from './cells.ts'
import { NAME, release } from './release.ts'

export interface Scene {
  readonly workload: WorkloadCase
  readonly namespace: TestNamespace
  readonly checkout: Checkout
  /** Deploys what is in the checkout, and must succeed. */
  deployWell(): Promise<RunResult>
}

export interface MakerCase {
  /** Makes the old release. */
  make(scene: Scene): Promise<void>
  /** Whoever made the release goes on to work with it after the rollback. */
  goOn(scene: Scene): Promise<void>
  readonly inputs: Readonly<Record<string, string>>
  /** What the records say after the rollback: by the label, and inside. */
  readonly records: Readonly<Record<string, readonly string[]>>
}

const nothing = () => Promise.resolve()
const ROLLED_BACK = ['rolled-back', 'rolled-back']

export const MADE_BY: Readonly<Record<Maker, MakerCase>> = {
  us: {
    async make({ checkout, workload, deployWell }) {
      await checkout.write('k8s/all.yaml', release(workload, 'old'))
      await deployWell()
    },
    goOn: nothing,
    inputs: {},
    records: { 1: ['good', 'good'], 2: ROLLED_BACK },
  },
  'kubectl apply': {
    async make({ namespace, workload }) {
      await namespace.kubectl(['apply', '-f', '-'], release(workload, 'old'))
    },
    async goOn({ namespace, workload }) {
      // This manifest says fewer replicas than the autoscaler, as kubectl would have done before the bad release: only asked.
      const dryRun = workload.isAutoscaled ? ['--dry-run=server'] : []
      const said = await namespace.kubectl(['apply', ...dryRun, '-f', '-'], release(workload, 'old'))
      const changed = said.split('\n').filter((line) => line !== '' && !/ unchanged( \(server dry run\))?$/.test(line))
      const scaled = [`${workload.kind.toLowerCase()}.apps/${NAME} configured (server dry run)`]
      expect(changed).toEqual(workload.isAutoscaled ? scaled : [])
    },
    inputs: {},
    records: { 1: ROLLED_BACK },
  },
  helm: {
    make: (scene) => helmUpgrade(scene, 'old'),
    goOn: (scene) => helmUpgrade(scene, 'new'),
    inputs: { 'force-conflicts': 'true' },
    records: { 1: ROLLED_BACK },
  },
  nobody: { make: nothing, goOn: nothing, inputs: {}, records: { 1: ROLLED_BACK } },
}

/** A chart without values: what it holds is what the cell deploys. */
async function helmUpgrade({ checkout, namespace, workload }: Scene, version: 'old' | 'new'): Promise<void> {
  const chart = join(checkout.folder, 'chart')
  await mkdir(join(chart, 'templates'), { recursive: true })
  await writeFile(join(chart, 'Chart.yaml'), JSON.stringify({ apiVersion: 'v2', name: NAME, version: '1.0.0' }))
  const hasReplicas = !workload.isAutoscaled
  await writeFile(join(chart, 'templates', 'all.yaml'), release(workload, version, { hasReplicas }))
  const helm = join(await buildTool('helm', () => undefined), 'helm')
  const where = ['--namespace', namespace.name, '--kubeconfig', testbed().kubeconfig]
  await run(helm, ['upgrade', '--install', NAME, chart, ...where], { env: { HOME: checkout.folder } })
}
