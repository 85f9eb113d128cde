import { parseChoice, type Parsed } from './parse.ts'

const COMMANDS = ['deploy', 'plan', 'rollback', 'teardown', 'sweep'] as const
export type Command = (typeof COMMANDS)[number]

/** Commands that are about what is in the cluster, and read no manifests. */
export const WITHOUT_MANIFESTS: readonly Command[] = ['rollback', 'teardown', 'sweep']

export function parseCommand(text: string): Parsed<Command> {
  return parseChoice(text, COMMANDS)
}
