/** Strict readers of single values. None guesses: what is not exactly right is a fault, with a hint at the right form. */

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | {
      readonly ok: false
      /** What is wrong with the value, to follow the input's name: `is "soon", which is no duration`. */
      readonly fault: string
      readonly hint: string
    }

function good<Value>(value: Value): Parsed<Value> {
  return { ok: true, value }
}

function fault(text: string, what: string, hint: string): Parsed<never> {
  return { ok: false, fault: `is "${text}", which is ${what}`, hint }
}

const DURATION = /^(?:(?<hours>\d{1,6})h)?(?:(?<minutes>\d{1,6})m)?(?:(?<seconds>\d{1,6})s)?$/

/** A duration such as `90s`, `10m` or `1h30m`, in seconds, between the limits (also seconds, both included). */
export function parseDuration(text: string, limits: { least: number; most: number }): Parsed<number> {
  const groups = DURATION.exec(text)?.groups
  if (!groups || text === '') {
    const hint = /^\d+$/.test(text) ? `Add the unit: ${text}s or ${text}m.` : 'Write it like 90s, 10m or 1h30m.'
    return fault(text, 'not a duration', hint)
  }
  const seconds =
    Number(groups['hours'] ?? 0) * 3600 + Number(groups['minutes'] ?? 0) * 60 + Number(groups['seconds'] ?? 0)
  const range = `Choose a value from ${formatDuration(limits.least)} to ${formatDuration(limits.most)}.`
  if (seconds < limits.least) return fault(text, 'too short', range)
  if (seconds > limits.most) return fault(text, 'too long', range)
  return good(seconds)
}

/** The way back: 5400 seconds are `1h30m`. */
export function formatDuration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const
  return parts.map(([count, unit]) => (count > 0 ? `${count}${unit}` : '')).join('') || '0s'
}

/** The forms that YAML 1.2 and `@actions/core` take for a boolean: true, True, TRUE, false, False, FALSE. */
export function parseBoolean(text: string): Parsed<boolean> {
  if (['true', 'True', 'TRUE'].includes(text)) return good(true)
  if (['false', 'False', 'FALSE'].includes(text)) return good(false)
  return fault(text, 'neither true nor false', 'Write true or false.')
}

/** A whole number in decimal digits, between the limits (both included). */
export function parseInteger(text: string, limits: { least: number; most: number }): Parsed<number> {
  const hint = `Write a whole number from ${limits.least} to ${limits.most}.`
  if (!/^(?:0|-?[1-9]\d{0,14})$/.test(text)) return fault(text, 'not a whole number', hint)
  const value = Number(text)
  return value >= limits.least && value <= limits.most ? good(value) : fault(text, 'out of range', hint)
}

/**
 * A number of pods, or a percentage of the replicas, as `maxSurge` and `maxUnavailable` take them: a number for `2`, the
 * text for `25%`. `mostPercent` is what the API server allows; without it there is no limit.
 */
export function parseIntOrPercent(text: string, mostPercent?: number): Parsed<number | string> {
  const hint = 'Write a whole number of pods such as 1, or a percentage such as 25%.'
  if (!/^(?:0|[1-9]\d{0,8})%?$/.test(text)) return fault(text, 'neither a whole number nor a percentage', hint)
  if (!text.endsWith('%')) return good(Number(text))
  if (mostPercent === undefined || Number(text.slice(0, -1)) <= mostPercent) return good(text)
  return fault(text, `more than ${mostPercent}%`, `Write at most ${mostPercent}%.`)
}

/** One of a few words, exactly as they are written. */
export function parseChoice<Choice extends string>(text: string, choices: readonly Choice[]): Parsed<Choice> {
  const choice = choices.find((one) => one === text)
  return choice === undefined ? fault(text, 'not a choice it has', `Write ${listed(choices)}.`) : good(choice)
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`
}

/** Takes ASCII white space off both ends. Taking off invisible Unicode could make a value into one that nobody saw. */
export function trimSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && SPACE.has(text.charAt(start))) start++
  while (end > start && SPACE.has(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

const SPACE: ReadonlySet<string> = new Set([' ', '\t', '\r', '\n'])

/** The lines of a list, without white space around them, empty lines and comments (lines that begin with #). */
export function parseLines(text: string): string[] {
  return text
    .split(/\r\n|\r|\n/)
    .map(trimSpace)
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
export function parseDnsLabel(text: string, longest: number): Parsed<string> {
  if (text.length <= longest && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(text)) return good(text)
  const rule = `Use at most ${longest} lower-case letters, digits and hyphens, with no hyphen at either end.`
  const suggestion = toDnsLabel(text, longest)
  const what = text.length > longest ? `longer than ${longest} characters` : 'not a name that Kubernetes takes'
  return fault(text, what, suggestion === '' ? rule : `${rule} "${suggestion}" would do.`)
}

/** The nearest DNS label to a text; empty when nothing of it is left. */
export function toDnsLabel(text: string, longest: number): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, longest)
    .replace(/-+$/, '')
}
