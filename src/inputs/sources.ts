import { type Command, WITHOUT_MANIFESTS } from './command.ts'
import { parseLines, type Parsed } from './parse.ts'
import type { InputReader } from './reader.ts'
import type { Environment } from './run.ts'

/** Where the manifests come from. Paths are relative to the workspace, or absolute. */
export interface Sources {
  /** The checkout; no file outside is read. */
  readonly workspace: string
  /** Files, directories and globs. */
  readonly manifests: readonly string[]
  /** A directory with a kustomization. */
  readonly kustomize?: string
  readonly helm?: HelmSource
}

export interface HelmSource {
  /** A directory with a chart. */
  readonly chart: string
  /** Values files; of a value that several set, the last counts. */
  readonly values: readonly string[]
  /** Each as `helm --set` takes it: `key=value`. They count more than the files. */
  readonly set: readonly string[]
}

type Reader = InputReader<'manifests' | 'kustomize' | 'helm-chart' | 'helm-values' | 'helm-set'>

/** Reads where the manifests come from, and notes what is wrong with it in the reader. */
export function readSources(reader: Reader, env: Environment, command: Command): Sources {
  const manifests = parseLines(reader.text('manifests'))
  const kustomize = reader.text('kustomize')
  const helm = readHelm(reader)
  // A rollback deploys what the record of a revision holds.
  if (manifests.length === 0 && kustomize === '' && !helm && !WITHOUT_MANIFESTS.includes(command)) {
    const hint =
      'List files, directories or globs, one a line, as in "manifests: k8s/", or set kustomize or helm-chart to a directory.'
    reader.refuse('manifests', 'is not given, nor are kustomize and helm-chart: there is nothing to deploy', hint)
  }
  return {
    workspace: env['GITHUB_WORKSPACE'] || env['PWD'] || '.',
    manifests,
    ...(kustomize !== '' && { kustomize: reader.value('kustomize', parseDirectory, '') }),
    ...(helm && { helm }),
  }
}

function readHelm(reader: Reader): HelmSource | undefined {
  const values = parseLines(reader.text('helm-values'))
  const set = parseLines(reader.text('helm-set'))
  if (reader.text('helm-chart') === '') {
    for (const [name, lines] of [
      ['helm-values', values],
      ['helm-set', set],
    ] as const) {
      if (lines.length === 0) continue
      const hint = 'Set helm-chart to the directory of the chart, or leave this out.'
      reader.refuse(name, 'is given, but there is no helm-chart that it could be for', hint)
    }
    return undefined
  }
  for (const line of set) {
    // The value is not shown: it may be a secret.
    if (/^[^=]+=/.test(line)) continue
    const key = line.startsWith('=') ? 'a line without a key' : 'a line without "="'
    reader.refuse('helm-set', `has ${key}`, 'Write key=value, one a line, as for helm --set.')
  }
  return { chart: reader.value('helm-chart', parseDirectory, ''), values, set }
}

/** One line, as what is listed in it would otherwise be taken for one strange name. */
function parseDirectory(text: string): Parsed<string> {
  if (!/[\r\n]/.test(text)) return { ok: true, value: text }
  return { ok: false, fault: 'has several lines, but takes one directory', hint: 'Name one directory.' }
}
