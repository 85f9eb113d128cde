/**
 * The door for untrusted text. Pod logs, events, names and error messages are written by whoever wrote the workload, and
 * may try to steer the workflow runner, the reader's terminal or the reader. Text leaves in this order: secrets are
 * hidden (`redactor.ts`), then what is left is made safe for the place it goes to (`defuse` for a log; `report/markdown.ts`
 * for a page).
 */

/** What stands in a text where a secret was. */
export const HIDDEN = '***'

const LONGEST_LOG_LINE = 4000

// Terminal control sequences (ECMA-48): OSC, DCS, SOS, PM and APC strings, then CSI, then the short ones. Every class
// leaves out the characters that begin a sequence, so that matching takes linear time on hostile text.
/* oxlint-disable no-control-regex -- they are what is looked for */
const CONTROL_STRING =
  /(?:\u001B[\]PX^_]|[\u009D\u0090\u0098\u009E\u009F])[^\u0007\n\u001B\u0080-\u009F]*(?:\u0007|\u001B\\|\u009C)/g
const CONTROL_SEQUENCE = /(?:\u001B\[|\u009B)[\u0030-\u003F]*[\u0020-\u002F]*[\u0040-\u007E]/g
const SHORT_ESCAPE = /\u001B[\u0020-\u002F]*[\u0030-\u007E]/g
/* oxlint-enable no-control-regex */

const LINE_BREAK = /\r\n|[\r\v\f\u0085\u2028\u2029]/g

// Control, format (bidi, zero-width, soft hyphen) and other characters that have no shape of their own. The runner
// compares text by culture, which skips them: `:<zero-width space>:` is `::` to it.
const SHAPELESS = /(?!\n)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu

/**
 * Takes out what has no visible shape: terminal sequences, control, bidi and zero-width characters. Keeps line breaks, all
 * as `\n`; a tab becomes four spaces, half of a surrogate pair becomes U+FFFD.
 */
export function stripControls(text: string): string {
  return text
    .toWellFormed()
    .replace(CONTROL_STRING, '')
    .replace(CONTROL_SEQUENCE, '')
    .replace(SHORT_ESCAPE, '')
    .replace(LINE_BREAK, '\n')
    .replaceAll('\t', '    ')
    .replace(SHAPELESS, '')
}

// The runner runs a line that begins with `::`, after white space, and one that has `##[` anywhere
// (ActionCommand.TryParseV2 and TryParse in actions/runner, src/Runner.Common/ActionCommand.cs). Marks and unassigned
// characters are allowed between, because a comparison by culture may skip them.
const COMMAND_AT_START = /^([\s\p{M}\p{C}]*:)[\p{M}\p{C}]*(?=:)/u
const COMMAND_ANYWHERE = /#[\p{M}\p{C}]*(?=#[\p{M}\p{C}]*\[)/gu

/**
 * Makes untrusted text safe to print in the log of a workflow run, where some lines are commands: `::` at the start of a
 * line becomes `: :`, `##[` becomes `# #[`. Also takes out what `stripControls` does, and cuts lines longer than
 * `lineLength` characters, saying how much was cut.
 */
export function defuse(text: string, options: { lineLength?: number } = {}): string {
  const lineLength = options.lineLength ?? LONGEST_LOG_LINE
  return stripControls(text)
    .split('\n')
    .map((line) => cut(line, lineLength).replace(COMMAND_AT_START, '$1 ').replace(COMMAND_ANYWHERE, '# '))
    .join('\n')
}

/** The first `length` UTF-16 units of a text, never half a surrogate pair, and a note of how many were left out. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const head = text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')
  return `${head}… (${text.length - head.length} more characters)`
}

/** Where `kubectl apply` keeps a copy of the whole object, values included. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
