/** Fields of one entry of a kubeconfig. What has another type than client-go expects is refused, as it is there. */

export type Entry = Readonly<Record<string, unknown>>

/** Notes a problem. The message must not show a value that may be a credential. */
export type Refuse = (message: string, hint: string) => void

/** Undefined when it is missing or empty. */
export function textOf(entry: Entry, field: string, refuse: Refuse): string | undefined {
  const value = entry[field]
  if (typeof value === 'string') return value === '' ? undefined : value
  if (value !== undefined && value !== null) refuse(`${field} is not text`, 'put the value in quotes')
  return undefined
}

export function flagOf(entry: Entry, field: string, refuse: Refuse): boolean {
  const value = entry[field]
  if (typeof value === 'boolean') return value
  if (value !== undefined && value !== null) refuse(`${field} is neither true nor false`, 'write true or false')
  return false
}

/** Empty when it is missing. */
export function textsOf(entry: Entry, field: string, refuse: Refuse): readonly string[] {
  const value = entry[field]
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  refuse(`${field} is not a list of texts`, 'write it as lines of "- text", in quotes where needed')
  return []
}
