/** How a server wants its clients to log in (RFC 9110, 11.6.1). */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string
  /** By their names in lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+"
const PARAMETER = new RegExp(`^(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`)
const SCHEME = new RegExp(`^(${TOKEN})(?=[ \\t,]|$)`)
const SEPARATORS = /^[\s,]+/

/** Reads WWW-Authenticate, which may hold several challenges. What cannot be read ends the reading. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  for (let rest = header.replace(SEPARATORS, ''); rest !== ''; rest = rest.replace(SEPARATORS, '')) {
    const parameter = PARAMETER.exec(rest)
    const scheme = SCHEME.exec(rest)
    const current = challenges.at(-1)
    if (parameter && current) {
      const [, name = '', quoted, plain = ''] = parameter
      current.parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain)
      rest = rest.slice(parameter[0].length)
    } else if (scheme) {
      challenges.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters: new Map() })
      rest = rest.slice(scheme[0].length)
    } else break
  }
  return challenges
}
