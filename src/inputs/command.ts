import { parseChoice, type Parsed } from './parse.ts'

const COMMANDS = ['deploy', 'plan', 'rollback', 'teardown'] as const
export type Command = (typeof COMMANDS)[number]

const LATER_COMMANDS = ['sweep']

/** Commands that are about what is in the cluster, and read no manifests. */
export const WITHOUT_MANIFESTS: readonly Command[] = ['rollback', 'teardown']

export function parseCommand(text: string): Parsed<Command> {
  if (!LATER_COMMANDS.includes(text)) return parseChoice(text, COMMANDS)
  const hint = 'Write deploy, plan, rollback or teardown.'
  return { ok: false, fault: `is "${text}", which this version cannot do yet`, hint }
}
