import type { Command } from './inputs.ts'
import { parseLines } from './parse.ts'
import type { InputReader } from './reader.ts'
import type { Environment } from './run.ts'

/** Where the manifests come from. */
export interface Sources {
  /** The checkout; no file outside is read. */
  readonly workspace: string
  /** Files, directories and globs, relative to the workspace or absolute. */
  readonly manifests: readonly string[]
}

/** Reads where the manifests come from, and notes what is wrong with it in the reader. */
export function readSources(reader: InputReader<'manifests'>, env: Environment, command: Command): Sources {
  return { workspace: env['GITHUB_WORKSPACE'] || env['PWD'] || '.', manifests: readManifests(reader, command) }
}

function readManifests(reader: InputReader<'manifests'>, command: Command): string[] {
  const manifests = parseLines(reader.text('manifests'))
  // A rollback deploys what the record of a revision holds.
  if (manifests.length === 0 && command !== 'rollback') {
    const hint = 'List files, directories or globs, one a line, as in "manifests: k8s/".'
    reader.refuse('manifests', 'is not given: there is nothing to deploy', hint)
  }
  return manifests
}
