/**
 * How the workflow runner finds commands in a step's output, for tests: what ActionCommand.TryParseV2 and TryParse in
 * actions/runner (src/Runner.Common/ActionCommand.cs) accept, and no line that they would not. .NET compares text by
 * culture there, which does not see characters without weight, so these are taken out first; a line is tried both ways.
 */
const REGISTERED = [
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'internal-set-repo-path',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
]

/** The commands that a runner would run for a step that printed this. */
export function commandsIn(output: string): string[] {
  return output
    .split(/\r\n|\r|\n/)
    .flatMap((line) => [line, line.replaceAll(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{M}]/gu, '')])
    .flatMap((line) => [doubleColon(line), hashBracket(line)])
    .filter((command) => command !== undefined && REGISTERED.includes(command.toLowerCase()))
    .filter((command) => command !== undefined)
}

function doubleColon(line: string): string | undefined {
  const text = line.replace(/^[\s\u0085]+/, '')
  const end = text.indexOf('::', 2)
  return text.startsWith('::') && end >= 0 ? text.slice(2, end).split(' ', 1)[0] : undefined
}

function hashBracket(line: string): string | undefined {
  const start = line.indexOf('##[')
  const end = line.indexOf(']', start)
  return start >= 0 && end >= 0 ? line.slice(start + 3, end).split(' ', 1)[0] : undefined
}
