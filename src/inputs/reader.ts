import type { Problem } from '../errors.ts'
import { trimSpace, type Parsed } from './parse.ts'

/** Reads inputs by name, and notes what is wrong with them instead of stopping at the first. */
export class InputReader<Name extends string> {
  readonly problems: Problem[] = []
  readonly #source: { input(name: string): string }
  readonly #defaults: Readonly<Record<Name, string>>

  constructor(source: { input(name: string): string }, defaults: Readonly<Record<Name, string>>) {
    this.#source = source
    this.#defaults = defaults
  }

  /** An input that is given but empty counts as not given: that is how a workflow passes on an input of its own. */
  text(name: Name): string {
    return trimSpace(this.#source.input(name)) || this.#defaults[name]
  }

  /** The parsed input. After a fault, which is noted, `instead` keeps the reading going. */
  value<Value>(name: Name, parse: (text: string) => Parsed<Value>, instead: Value): Value {
    const parsed = parse(this.text(name))
    if (parsed.ok) return parsed.value
    this.refuse(name, parsed.fault, parsed.hint)
    return instead
  }

  refuse(name: Name, fault: string, hint: string): void {
    this.problems.push({ code: 'InvalidInput', message: `the input ${name} ${fault}`, hint })
  }
}
