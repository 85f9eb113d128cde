import type { ObjectRef } from '../manifest/object.ts'

/** `4 s`, `1 m 05 s`, `2 h 03 m`: a duration for people, from seconds. */
export function durationOf(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} m`
}

/** `14:03:22` of an ISO 8601 time, else the text as it is. */
export function timeOfDay(iso: string): string {
  return /^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)/.exec(iso)?.[1] ?? iso
}

/** `Deployment/web`; with the namespace, `Deployment/web (shop)`, when it is not the release's own. */
export function nameOf(ref: ObjectRef, namespace: string): string {
  const other = ref.namespace !== undefined && ref.namespace !== namespace ? ` (${ref.namespace})` : ''
  return `${ref.kind}/${ref.name}${other}`
}

/** `1 pod`, `2 pods`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The text with a full stop, unless it ends like a sentence already. */
export function sentence(text: string): string {
  const trimmed = text.trimEnd()
  return trimmed === '' || /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`
}
