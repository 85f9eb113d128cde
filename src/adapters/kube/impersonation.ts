import { isObject } from '../../manifest/object.ts'
import { type Entry, type Refuse, textOf, textsOf } from './fields.ts'

/**
 * The headers by which a user of a kubeconfig acts as somebody else, as client-go sends them (transport/round_trippers.go,
 * https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/). Whatever cannot be sent exactly is refused: a header
 * that is left out would be another identity than the one that was asked for.
 */
export function impersonationHeaders(user: Entry, refuse: Refuse): Record<string, string | string[]> {
  const name = textOf(user, 'as', refuse)
  const uid = textOf(user, 'as-uid', refuse)
  const groups = textsOf(user, 'as-groups', refuse)
  const extra = extraOf(user, refuse)
  if (name === undefined && (uid !== undefined || groups.length > 0 || extra.length > 0)) {
    refuse(
      'as-uid, as-groups or as-user-extra is given without as',
      'name the user to act as in the field as, or remove them',
    )
  }
  const header = (text: string) => headerValue(text, refuse)
  return {
    ...(name !== undefined && { 'impersonate-user': header(name) }),
    ...(uid !== undefined && { 'impersonate-uid': header(uid) }),
    ...(groups.length > 0 && { 'impersonate-group': groups.map(header) }),
    ...Object.fromEntries(extra.map(([key, values]) => [`impersonate-extra-${headerKey(key)}`, values.map(header)])),
  }
}

function extraOf(user: Entry, refuse: Refuse): [key: string, values: readonly string[]][] {
  const extra = user['as-user-extra']
  if (extra === undefined || extra === null) return []
  if (!isObject(extra)) {
    refuse('as-user-extra is not a mapping', 'write it as lines of "key:" with a list of texts each')
    return []
  }
  return Object.keys(extra).map((key) => [key, textsOf(extra, key, refuse)])
}

/** Bytes that may not stand in the name of a header, and the percent sign, are percent-encoded. */
function headerKey(key: string): string {
  return Array.from(Buffer.from(key), (byte) => {
    const character = String.fromCharCode(byte)
    return /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

/** Headers hold bytes, and undici takes one character for each. */
function headerValue(text: string, refuse: Refuse): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\u0000-\u001F\u007F]/.test(text)) refuse('a name to act as holds a control character', 'remove it')
  return Buffer.from(text).toString('latin1')
}
