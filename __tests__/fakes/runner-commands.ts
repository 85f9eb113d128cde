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

/** A command in the form with two colons, as the runner takes it apart. */
export interface ParsedCommand {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly data: string
}

/** The commands with two colons in an output, with what they carry (ActionCommand.TryParseV2). */
export function parsedCommands(output: string): ParsedCommand[] {
  return output.split(/\r\n|\r|\n/).flatMap((line) => {
    const text = line.replace(/^[\s\u0085]+/, '')
    const end = text.indexOf('::', 2)
    if (!text.startsWith('::') || end < 0) return []
    const info = text.slice(2, end)
    const space = info.indexOf(' ')
    const name = space < 0 ? info : info.slice(0, space)
    if (!REGISTERED.includes(name.toLowerCase())) return []
    const pairs =
      space < 0
        ? []
        : info
            .slice(space + 1)
            .trim()
            .split(',')
            .filter((pair) => pair.trim() !== '')
    const properties = pairs.map((pair) => {
      const [key = '', ...value] = pair.trim().split('=')
      return [key, unescaped(value.join('='), true)] as const
    })
    return [{ name, properties: Object.fromEntries(properties), data: unescaped(text.slice(end + 2), false) }]
  })
}

function unescaped(text: string, isProperty: boolean): string {
  const data = text.replaceAll('%0D', '\r').replaceAll('%0A', '\n')
  return (isProperty ? data.replaceAll('%3A', ':').replaceAll('%2C', ',') : data).replaceAll('%25', '%')
}

/**
 * The names and values in a file of outputs or of state (FileCommandManager in actions/runner): `name=value` in a line, or
 * `name<<delimiter` and lines up to the delimiter. Throws on what the runner refuses.
 */
export function settingsIn(file: string): [name: string, value: string][] {
  const lines = file.split(/\r\n|\r|\n/)
  const settings: [string, string][] = []
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === '') continue
    const equals = line.indexOf('=')
    const heredoc = line.indexOf('<<')
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) settings.push([line.slice(0, equals), line.slice(equals + 1)])
    else if (heredoc >= 0) {
      const end = lines.indexOf(line.slice(heredoc + 2))
      if (end < 0) throw new Error(`there is no end to ${line}`)
      settings.push([
        line.slice(0, heredoc),
        lines
          .splice(0, end + 1)
          .slice(0, -1)
          .join('\n'),
      ])
    } else throw new Error(`the runner refuses the line ${JSON.stringify(line)}`)
  }
  return settings
}

/**
 * The commands that a runner would run for a step that printed this. The old form is only looked for in a line that has none in the new
 * one (ActionCommandManager.TryProcessCommand): what a mask hides may look like it.
 */
export function commandsIn(output: string): string[] {
  return output
    .split(/\r\n|\r|\n/)
    .flatMap((line) => [line, line.replaceAll(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{M}]/gu, '')])
    .flatMap((line) => registered(doubleColon(line)) ?? registered(hashBracket(line)) ?? [])
}

function registered(command: string | undefined): string | undefined {
  return command !== undefined && REGISTERED.includes(command.toLowerCase()) ? command : undefined
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
