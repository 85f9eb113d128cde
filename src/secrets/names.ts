/** Which names say that what they name is a secret. */

/** Words that make a name one of a secret, wherever they stand; also as the end of a longer word (`PGPASSWORD`). */
const SECRET_WORDS =
  /(?:password|passwords|passwd|passphrase|secret|secrets|token|tokens|credential|credentials|apikey|accesskey|secretkey|privatekey)$/
/** The same for words that are too short to look for inside of others. */
const SHORT_SECRET_WORDS: ReadonlySet<string> = new Set(['pass', 'pwd', 'pw', 'creds', 'dsn'])
/** Words that say so only at the end of a name: `SIGNING_KEY`, and not `KEY_COUNT`. */
const LAST_SECRET_WORDS: ReadonlySet<string> = new Set(['key', 'keys', 'auth', 'cookie', 'salt'])

/** At the end of a name they say that the value is about a secret, and not the secret: `PASSWORD_FILE`, `TOKEN_TTL`. */
const ABOUT_A_SECRET: ReadonlySet<string> = new Set(
  (
    'algorithm audience class count dir directory enabled endpoint expiration expires expiry file format header host hours ' +
    'issuer length lifetime limit minutes mode name namespace path policy prefix provider ref required rotation seconds size ' +
    'timeout ttl type uri url user username version'
  ).split(' '),
)

/**
 * True for a name of an environment variable, a setting or an entry whose value is a credential by its name: `DB_PASSWORD`,
 * `apiKey`, `github-token`; not for `PUBLIC_KEY`, `PASSWORD_FILE` or `MAX_TOKENS`. It is a guess, for hiding too much rather than
 * too little; a URL with a password in it is known by its value, not by its name.
 */
export function isSecretName(name: string): boolean {
  const words = (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []).map((word) => word.toLowerCase())
  const last = words.at(-1) ?? ''
  if (ABOUT_A_SECRET.has(last) || words.includes('public') || words[0] === 'max' || words[0] === 'min') return false
  return (
    LAST_SECRET_WORDS.has(last) ||
    words.some((word) => SECRET_WORDS.test(word) || SHORT_SECRET_WORDS.has(word)) ||
    /connection-?string$/.test(words.join('-'))
  )
}
