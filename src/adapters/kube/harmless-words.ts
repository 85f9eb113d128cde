import { HIDDEN, stripControls } from '../../redact.ts'

const LONGEST = 300
/** Words after which a secret is likely to follow. */
const LABEL =
  /(?:token|secret|passw(?:or)?d|pwd|pass|key|credentials?|authorization|bearer|basic|cookie|session|assertion|signature|code)["']?\s*[:=]?$/i

/**
 * What a login command said when it failed, in so far as it can be shown: its last line of words, without anything that could be a
 * token, a key or an account. Such programs print all of these when something is wrong.
 */
export function harmlessWords(stderr: string): string {
  const lines = stripControls(stderr.slice(-64 * 1024))
    .split('\n')
    .map((line) => line.trim())
  const last = lines.findLast((line) => /[A-Za-z]{3}/.test(line)) ?? ''
  const words = last.split(/(?<=[=:])(?=\S)|\s+/)
  const shown = words.map((word, index) =>
    isHarmless(word) && !isLabelled(word, words[index - 1] ?? '') ? word : HIDDEN,
  )
  const text = shown.join(' ').replaceAll(`${HIDDEN} ${HIDDEN}`, HIDDEN)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

/** After `token=` everything is suspect; after `token`, what is not a common word. */
function isLabelled(word: string, before: string): boolean {
  if (!LABEL.test(before) || LABEL.test(word)) return false
  return /[:=]$/.test(before) || !/^[a-z]{1,12}$/.test(word)
}

/** Words of people and programs are letters, short numbers, or both as in `eu-west-1`. */
function isHarmless(word: string): boolean {
  const core = word.replaceAll(/^["'([{<]+|["')\]}>.,;:!?=]+$/g, '')
  if (/^[A-Za-z]{0,32}$/.test(core)) return true
  if (/^[A-Za-z]{1,20}(?:[-_/.'][A-Za-z]{1,20})*(?:[-_/.]?\d{1,2})?$/.test(core)) return core.length <= 30
  return core.length < 8
}
