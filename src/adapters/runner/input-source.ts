import { readFileSync } from 'node:fs'
import type { InputSource } from '../../inputs/inputs.ts'
import { trimSpace } from '../../inputs/parse.ts'

/**
 * Where inputs come from on a workflow runner: `INPUT_<NAME>` variables, the environment, and the file with the event that
 * started the run. An input that is not set is ''. Only ASCII white space is trimmed: taking invisible Unicode off a value
 * could turn it into another one that a person did not see.
 * https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax#inputs
 */
export function createInputSource(env: NodeJS.ProcessEnv = process.env): InputSource {
  return {
    input: (name) => trimSpace(env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? ''),
    env,
    event: readEvent(env['GITHUB_EVENT_PATH']),
  }
}

/** Undefined without a file, as outside GitHub, and for one that is no JSON: what is missing in it is then reported. */
function readEvent(path: string | undefined): unknown {
  if (!path) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
