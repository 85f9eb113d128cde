/** One line of a text that was compared with another. */
export interface DiffLine {
  /** In both texts, only before, only after; `@` stands for lines in both that are left out, and `text` says how many. */
  readonly kind: ' ' | '-' | '+' | '@'
  readonly text: string
}

const CONTEXT = 3
/** Cells of the table below: more would take seconds. Texts that differ in so many lines are shown one after the other. */
const MOST_CELLS = 4_000_000
/** As `diff` puts it, in the place of the line break that is not there. */
const NO_BREAK_AT_END = String.raw`\ no line break at the end`

/** The lines in which two texts differ, with up to three lines around them. Equal texts have none. */
export function diffTexts(before: string, after: string): DiffLine[] {
  return diffLines(...linesOfBoth(before, after))
}

/** The same for lists of lines. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && before[start] === after[start]) start += 1
  let end = 0
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end += 1
  const asBefore = (text: string): DiffLine => ({ kind: ' ', text })
  return withoutFarLines([
    ...before.slice(0, start).map(asBefore),
    ...diffMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(asBefore),
  ])
}

function linesOfBoth(before: string, after: string): [string[], string[]] {
  const endsAlike = before.endsWith('\n') === after.endsWith('\n')
  const linesOf = (text: string): string[] => {
    if (text === '') return []
    if (text.endsWith('\n')) return text.slice(0, -1).split('\n')
    return endsAlike ? text.split('\n') : [...text.split('\n'), NO_BREAK_AT_END]
  }
  return [linesOf(before), linesOf(after)]
}

/** By the longest common subsequence, of which a table holds the length for every pair of rests. */
function diffMiddle(before: readonly string[], after: readonly string[]): DiffLine[] {
  const width = after.length + 1
  if ((before.length + 1) * width > MOST_CELLS) return replaced(before, after)
  const common = new Uint32Array((before.length + 1) * width)
  const commonAt = (row: number, column: number): number => common[row * width + column] ?? 0
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        before[row] === after[column]
          ? commonAt(row + 1, column + 1) + 1
          : Math.max(commonAt(row + 1, column), commonAt(row, column + 1))
    }
  }
  const lines: DiffLine[] = []
  let row = 0
  let column = 0
  while (row < before.length || column < after.length) {
    const old = before[row]
    const now = after[column]
    if (old !== undefined && old === now) {
      lines.push({ kind: ' ', text: old })
      row += 1
      column += 1
    } else if (old !== undefined && (now === undefined || commonAt(row + 1, column) >= commonAt(row, column + 1))) {
      lines.push({ kind: '-', text: old })
      row += 1
    } else {
      lines.push({ kind: '+', text: now ?? '' })
      column += 1
    }
  }
  return lines
}

function replaced(before: readonly string[], after: readonly string[]): DiffLine[] {
  return [
    ...before.map((text): DiffLine => ({ kind: '-', text })),
    ...after.map((text): DiffLine => ({ kind: '+', text })),
  ]
}

/** Only the lines that changed and their neighbours; one line counts each stretch of the others. */
function withoutFarLines(lines: readonly DiffLine[]): DiffLine[] {
  const isNear = new Uint8Array(lines.length)
  lines.forEach((line, index) => {
    if (line.kind !== ' ') isNear.fill(1, Math.max(0, index - CONTEXT), index + CONTEXT + 1)
  })
  const shown: DiffLine[] = []
  let far = 0
  for (const [index, line] of lines.entries()) {
    if (isNear[index] !== 1) {
      far += 1
      continue
    }
    if (far > 0) shown.push(leftOut(far))
    far = 0
    shown.push(line)
  }
  return shown.length > 0 && far > 0 ? [...shown, leftOut(far)] : shown
}

function leftOut(count: number): DiffLine {
  return { kind: '@', text: count === 1 ? '1 line as before' : `${count} lines as before` }
}
