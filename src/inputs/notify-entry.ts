import { isLoopback } from './loopback.ts'
import type { Environment } from './run.ts'

/** A variable that the runner sets itself, or that holds an input or saved state: none of them is for others. */
const OF_THE_RUNNER = /^(?:ACTIONS|GITHUB|INPUT|RUNNER|STATE)_/i
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/
const LONGEST_TEXT = 200
const MOST_TEXTS = 20
/** Hiding a path such as `/hooks` would hide half of the log. */
const SHORTEST_SECRET_PATH = 12
/** Stands for an address that could not be read; nothing is sent to it, as the file is refused. */
const NOWHERE = new URL('https://invalid')

export interface EntryOptions {
  readonly fields: Readonly<Record<string, unknown>>
  readonly env: Environment
  /** Notes what is wrong with the entry: `has no url`. */
  readonly refuse: (fault: string, hint: string, field?: string) => void
  /** Where what is read out of the environment is noted. */
  readonly secrets: string[]
}

/** Reads the fields of one entry of the file that `notify` names; what is not asked for does not belong there. */
export class NotifyEntry {
  readonly refuse: EntryOptions['refuse']
  readonly #options: EntryOptions
  readonly #known = new Set<string>()

  constructor(options: EntryOptions) {
    this.#options = options
    this.refuse = options.refuse
  }

  has(name: string): boolean {
    this.#known.add(name)
    return this.#options.fields[name] !== undefined
  }

  text(name: string): string | undefined {
    if (!this.has(name)) return undefined
    const value = this.#options.fields[name]
    if (typeof value === 'string' && /^\P{Cc}+$/u.test(value) && value.length <= LONGEST_TEXT) return value
    const hint = `Write one line of at most ${LONGEST_TEXT} characters, in quotes if it looks like a number.`
    this.refuse(`has a ${name} that is no text`, hint, name)
    return undefined
  }

  texts(name: string): readonly string[] {
    if (!this.has(name)) return []
    const value: unknown = this.#options.fields[name]
    const texts = Array.isArray(value) ? value.filter((one) => typeof one === 'string' && one !== '') : []
    const isGood = Array.isArray(value) && texts.length === value.length && texts.length <= MOST_TEXTS
    if (!isGood || texts.some((one: string) => one.length > LONGEST_TEXT)) {
      const hint = `Write at most ${MOST_TEXTS} texts as in [one, two], each of at most ${LONGEST_TEXT} characters.`
      this.refuse(`has ${name} that are no list of texts`, hint, name)
    }
    return texts
  }

  integer(name: string): number | undefined {
    if (!this.has(name)) return undefined
    const value = this.#options.fields[name]
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    this.refuse(`has a ${name} that is no whole number`, 'Write digits, without quotes.', name)
    return undefined
  }

  flag(name: string): boolean {
    if (!this.has(name)) return false
    const value = this.#options.fields[name]
    if (typeof value !== 'boolean')
      this.refuse(`has ${name} set to neither true nor false`, 'Write true or false.', name)
    return value === true
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], otherwise: Choice): Choice {
    if (!this.has(name)) return otherwise
    const value = this.#options.fields[name]
    const choice = choices.find((one) => one === value)
    if (choice === undefined)
      this.refuse(`has a value of ${name} that it does not know`, `Write one of ${choices.join(', ')}.`, name)
    return choice ?? otherwise
  }

  /** The value of the variable that the field names. The value is never repeated, and noted as a secret. */
  secret(name: string): string | undefined {
    const { env, secrets } = this.#options
    if (!this.has(name)) {
      const hint = `Write ${name}: NAME, and give the step NAME: \${{ secrets.NAME }} under env.`
      this.refuse(`has no ${name}`, hint)
      return undefined
    }
    const variable = this.#options.fields[name]
    if (typeof variable !== 'string' || !VARIABLE.test(variable)) {
      const hint = `${name} takes the name of an environment variable of the step, such as SLACK_WEBHOOK_URL, and never the value itself.`
      this.refuse(`has a ${name} that is no name of a variable`, hint, name)
      return undefined
    }
    if (OF_THE_RUNNER.test(variable)) {
      const hint = 'Put the value under a name of your own into env of the step.'
      this.refuse(`names the variable ${variable} in ${name}, which belongs to the runner`, hint, name)
      return undefined
    }
    const value = env[variable]?.trim() ?? ''
    if (value === '') {
      const hint = `Add ${variable}: \${{ secrets.${variable} }} to env of the step, and check that the repository has that secret.`
      this.refuse(`takes its ${name.replace(/-from$/, '')} from ${variable}, which is not set`, hint, name)
      return undefined
    }
    secrets.push(value)
    return value
  }

  /** The address, and the name of the variable that holds it if it is secret. */
  url(isSecret: boolean): { readonly url: URL; readonly from?: string } {
    const isFrom = this.has('url-from')
    const mayBeInsecure = this.flag('allow-insecure')
    if (this.has('url') && (isFrom || isSecret)) {
      const hint = isSecret
        ? 'Put the address into a secret, and name the variable that holds it in url-from: who knows the address can write there.'
        : 'Keep one of them.'
      this.refuse(isFrom ? 'has both url and url-from' : 'has a url, which would be a secret in the open', hint, 'url')
    }
    const text = isFrom || isSecret ? this.secret('url-from') : this.#plainUrl()
    const field = isFrom || isSecret ? 'url-from' : 'url'
    const from = isFrom ? this.#options.fields['url-from'] : undefined
    const url = text === undefined ? undefined : this.#checkUrl(text, field, mayBeInsecure)
    if (isFrom && url) this.#noteParts(url)
    return { url: url ?? NOWHERE, ...(typeof from === 'string' && { from }) }
  }

  /** Notes what is in the entry and was not asked for. */
  refuseOthers(): void {
    const known = [...this.#known].toSorted()
    for (const name of Object.keys(this.#options.fields)) {
      if (this.#known.has(name)) continue
      this.refuse(`has the field "${name}", which does not exist`, `The fields are ${known.join(', ')}.`, name)
    }
  }

  #plainUrl(): string | undefined {
    if (!this.has('url')) this.refuse('has no url', 'Write url, or url-from with the name of the variable that has it.')
    return this.text('url')
  }

  #checkUrl(text: string, field: string, mayBeInsecure: boolean): URL | undefined {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
      this.refuse(
        `has an address in ${field} that is not one of the web`,
        'Write one that begins with https://.',
        field,
      )
      return undefined
    }
    if (url.username !== '' || url.password !== '') {
      const hint = 'Take the login out of the address, and use the fields for it.'
      this.refuse(`has a login in the address in ${field}`, hint, field)
    }
    if (url.protocol === 'http:' && !isLoopback(url) && !mayBeInsecure) {
      const hint =
        'Use https, or accept with allow-insecure: true that others on the way can read and change what is sent.'
      this.refuse(`has an address in ${field} without TLS`, hint, field)
    }
    return url
  }

  /** Messages of errors may hold only a part of the address. */
  #noteParts(url: URL): void {
    const path = `${url.pathname}${url.search}`
    this.#options.secrets.push(url.href, ...(path.length >= SHORTEST_SECRET_PATH ? [path] : []))
  }
}
