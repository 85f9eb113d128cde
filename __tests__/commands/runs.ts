/** Runs of the action over a cluster in memory. */
import { createClock } from '../../src/adapters/system.ts'
import { openJournal } from '../../src/commands/journal.ts'
import type { Lock } from '../../src/commands/session/lock.ts'
import { openRecords, type Records } from '../../src/commands/session/records.ts'
import type { Run } from '../../src/commands/run.ts'
import { readInputs } from '../../src/inputs/inputs.ts'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Cluster, Runner } from '../../src/ports.ts'
import { RELEASE_LABEL } from '../../src/plan/desired.ts'

export interface TestRun {
  readonly run: Run
  readonly log: string[]
  readonly cancel: AbortController
  readonly end: AbortController
}

const NEVER = new AbortController().signal

/** With the inputs of a workflow: the release `shop` in the namespace `shop`, run 7 of `acme/shop`. */
export function createRun(
  cluster: Cluster,
  inputs: Readonly<Record<string, string>> = {},
  manifests: readonly KubeObject[] = [],
): TestRun {
  const given: Readonly<Record<string, string>> = {
    manifests: 'k8s',
    kubeconfig: 'apiVersion: v1\nkind: Config\nclusters:\n- name: c\n',
    namespace: 'shop',
    'stable-for': '0s',
    'lock-timeout': '1s',
    ...inputs,
  }
  const env = {
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_WORKSPACE: '/checkout',
    GITHUB_RUN_ID: '7',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_SHA: '4bc1d0e6f0a97f6f3b7f5a4d4e1a63b1f9c0a7d2',
    GITHUB_ACTOR: 'mona',
  }
  const log: string[] = []
  const runner: Runner = {
    info: (text) => void log.push(text),
    debug: () => undefined,
    group: (_title, body) => body(),
    annotate: () => undefined,
    mask: () => undefined,
    hide: () => undefined,
    spare: () => undefined,
    replaceKnown: (text) => text,
    output: () => undefined,
    saveState: () => undefined,
    summary: () => Promise.resolve(),
    writeReport: () => Promise.resolve('/tmp/report.json'),
  }
  const text = manifests.map((object) => JSON.stringify(object)).join('\n---\n')
  const cancel = new AbortController()
  const end = new AbortController()
  const clock = createClock()
  const run: Run = {
    inputs: readInputs({ input: (name) => given[name] ?? '', env, event: {} }),
    cluster,
    runner,
    registry: { resolve: (reference) => Promise.reject(new Error(`nobody was to ask for ${reference}`)) },
    web: { ask: (url) => Promise.reject(new Error(`nobody was to ask ${url}`)) },
    renderer: { render: () => Promise.resolve([{ path: 'k8s/app.yaml', text }]) },
    clock,
    journal: openJournal(clock),
    announce: () => undefined,
    holder: 'this-run',
    signals: { cancelled: cancel.signal, ending: end.signal },
  }
  return { run, log, cancel, end }
}

/** A lock that nobody contests. */
export const HELD: Lock = {
  holder: 'this-run',
  lost: NEVER,
  ensureHeld: () => Promise.resolve(),
  whileHeld: (write) => write(NEVER),
  release: () => Promise.resolve(),
}

export const recordsOf = (cluster: Cluster): Records => openRecords(cluster, { namespace: 'shop', release: 'shop' })

/** A ConfigMap that Rollsafe has applied, as the API server would tell of it. */
export function settings(name: string, data: Record<string, string> = { a: '1' }, namespace = 'shop'): KubeObject {
  const fieldsV1 = { 'f:data': Object.fromEntries(Object.keys(data).map((key) => [`f:${key}`, {}])) }
  const managedFields = [
    { manager: 'rollsafe', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 },
  ]
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { [RELEASE_LABEL]: 'shop' }, managedFields },
    data,
  }
}
