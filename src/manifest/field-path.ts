/** Paths to fields of an object, as people write them: `spec.templates[*].container.image`. */
import { isObject } from './object.ts'

/** Names of fields, positions in lists, and `[*]` for every item of a list. */
export type FieldPath = readonly (string | number)[]

/** A value of an object, and the path to it, without `[*]`. */
export interface Place {
  readonly path: readonly (string | number)[]
  readonly value: unknown
}

const FIELD = String.raw`[A-Za-z_][\w-]*(?:\[(?:\*|\d{1,6})\])*`
const PATH = new RegExp(String.raw`^${FIELD}(?:\.${FIELD})*$`)
/** In a path: every item of a list. No field is called like that. */
const EVERY = '*'

/** Undefined when the text is no path: fields with dots between them, each followed by any number of `[0]` or `[*]`. */
export function parseFieldPath(text: string): FieldPath | undefined {
  if (!PATH.test(text)) return undefined
  return text
    .split(/[.[\]]+/)
    .filter((step) => step !== '')
    .map((step) => (/^\d/.test(step) ? Number(step) : step))
}

/** The way back. */
export function fieldPathText(path: FieldPath): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number' || step === EVERY) return `[${step}]`
      return index === 0 ? step : `.${step}`
    })
    .join('')
}

/** Every place of a value that a path leads to, in the order of the lists on the way. */
export function placesAt(value: unknown, path: FieldPath): Place[] {
  return path.reduce<Place[]>((places, step) => places.flatMap((place) => stepInto(place, step)), [{ path: [], value }])
}

/** How far a path leads that leads to nothing: the first of the last places that are there. */
export function lastPlaceOn(value: unknown, path: FieldPath): Place {
  const reached = path.map((_, index) => placesAt(value, path.slice(0, index))).findLast((places) => places.length > 0)
  return reached?.[0] ?? { path: [], value }
}

/** Puts a value at a path without `[*]` whose last step may not be there yet; the others are. Changes what it is given. */
export function setAt(root: unknown, path: FieldPath, value: unknown): void {
  const last = path.at(-1)
  const holder = placesAt(root, path.slice(0, -1))[0]?.value
  if (Array.isArray(holder) && typeof last === 'number') holder[last] = value
  else if (isObject(holder) && typeof last === 'string') holder[last] = value
}

function stepInto({ path, value }: Place, step: string | number): Place[] {
  if (step === EVERY) {
    return Array.isArray(value) ? value.map((item: unknown, index) => ({ path: [...path, index], value: item })) : []
  }
  if (typeof step === 'number') {
    return Array.isArray(value) && step < value.length ? [{ path: [...path, step], value: value[step] }] : []
  }
  return isObject(value) && Object.hasOwn(value, step) ? [{ path: [...path, step], value: value[step] }] : []
}
