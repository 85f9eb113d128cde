import type { FieldChange } from '../plan/diff.ts'
import { cut, stripControls } from '../redact.ts'

/** Longer lines are cut: what is in them is for machines. */
const LONGEST_LINE = 300
/** What is kept of what two long lines begin with alike. */
const START_KEPT = 40

/**
 * The changes of an object as the lines of a diff. Each begins with its sign, whatever the texts hold: the path of a field as
 * a line of context, and below it what is there (`-`) and what would be (`+`).
 */
export function linesOfFields(fields: readonly FieldChange[]): string[] {
  return fields.flatMap((field) => [...signed(' ', field.path.replaceAll(/\s+/g, ' ')), ...linesOfField(field)])
}

function linesOfField({ before, after, lines }: FieldChange): string[] {
  if (lines) {
    return lines.flatMap(({ kind, text }) => (kind === '@' ? signed('@@', `${text} @@`) : signed(kind, `  ${text}`)))
  }
  const [old, now] = before !== undefined && after !== undefined ? withoutCommonStart(before, after) : [before, after]
  return [...(old === undefined ? [] : indented('-', old)), ...(now === undefined ? [] : indented('+', now))]
}

function indented(sign: string, text: string): string[] {
  return signed(sign, `  ${text.replaceAll('\n', '\n  ')}`)
}

/** A line that is no line yet may become one when it is made safe; it gets its sign, too. */
function signed(sign: string, text: string): string[] {
  return stripControls(text)
    .split('\n')
    .map((line) => `${sign} ${cut(line, LONGEST_LINE)}`)
}

/** Two long texts of one line each, so that what differs is not cut off. */
function withoutCommonStart(before: string, after: string): [string, string] {
  const isLong = Math.max(before.length, after.length) > LONGEST_LINE
  if (!isLong || before.includes('\n') || after.includes('\n')) return [before, after]
  let start = 0
  while (start < before.length && before[start] === after[start]) start += 1
  const from = start - START_KEPT
  return from <= 0 ? [before, after] : [`…${before.slice(from)}`, `…${after.slice(from)}`]
}
