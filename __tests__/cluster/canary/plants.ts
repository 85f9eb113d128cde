/** Random secrets, and where they are planted. Made at run time: none is in any file of the repository. */
import { randomBytes } from 'node:crypto'

/** When Rollsafe can know of it: always, or once it has the first revision, what is live, or the manifests of the second. */
export type KnownFrom = 'credentials' | 'shape' | 'first' | 'live' | 'second'

export interface Plant {
  readonly where: string
  readonly knownFrom: KnownFrom
  readonly secret: string
  /** The text around it by which it is known, when its value is not. */
  readonly shaped?: string
}

const word = (): string => randomBytes(12).toString('base64').replaceAll(/[+/]/g, 'x')

/** Secrets of all sorts, each with long runs of random letters and digits. */
const ALPHABETS = {
  hex: () => randomBytes(12).toString('hex'),
  base64: () => `${randomBytes(15).toString('base64')}+/${randomBytes(7).toString('base64')}`,
  symbols: () => `${word()}+/=&%?#!$*(),;${word()}`,
  quotes: () => `${word()}"'\\<>&\`${word()}`,
  unicode: () => `${word()}äß日本😀${word()}`,
  spaces: () => `${word()} and  ${word()}`,
  escapes: () => `${word()}%41%zz&amp;\\n\\u0041${word()}`,
  lines: () => `${word()}\n  ${word()}"&\r\n${word()}\n`,
  digits: () => randomBytes(8).readBigUInt64BE().toString().padStart(20, '7'),
} as const

type Alphabet = keyof typeof ALPHABETS

const PLACES = {
  'kubeconfig: password of another user': ['credentials', 'symbols'],
  'kubeconfig: key of another user': ['credentials', 'lines'],
  'kubeconfig: secret of a login plugin': ['credentials', 'quotes'],
  'kubeconfig: password in the address of another cluster': ['credentials', 'hex'],
  'first Secret: data': ['first', 'hex'],
  'first Secret: stringData': ['first', 'quotes'],
  'first ConfigMap: password in a URL': ['first', 'unicode'],
  'first Deployment: variable': ['first', 'base64'],
  'first Job: variable': ['first', 'spaces'],
  'live Secret: made by kubectl apply': ['live', 'base64'],
  'live Secret: changed by hand since': ['live', 'lines'],
  'live Deployment: variable made by kubectl apply': ['live', 'quotes'],
  'live Deployment: variable set by hand since': ['live', 'symbols'],
  'live ConfigMap: password in a URL': ['live', 'hex'],
  'Secret: data': ['second', 'base64'],
  'Secret: data, many lines': ['second', 'lines'],
  'Secret: data, digits': ['second', 'digits'],
  'Secret: data, base64 of base64': ['second', 'hex'],
  'Secret: stringData': ['second', 'quotes'],
  'Secret: stringData with spaces': ['second', 'spaces'],
  'Secret: stringData that looks escaped': ['second', 'escapes'],
  'Secret: stringData of all the world': ['second', 'unicode'],
  'Secret: immutable': ['second', 'symbols'],
  'Secret: TLS certificate': ['second', 'lines'],
  'Secret: TLS key': ['second', 'lines'],
  'Secret: Docker password': ['second', 'quotes'],
  'Secret: Docker auth': ['second', 'symbols'],
  'Secret: Docker identity token': ['second', 'base64'],
  'Secret: old Docker password': ['second', 'hex'],
  'Secret: basic-auth user': ['second', 'hex'],
  'Secret: basic-auth password': ['second', 'unicode'],
  'Secret: SSH key': ['second', 'lines'],
  'Secret: bootstrap token': ['second', 'hex'],
  'Secret: field of a JSON file': ['second', 'quotes'],
  'Secret: line of an env file': ['second', 'base64'],
  'Secret: line of a YAML file': ['second', 'hex'],
  'Secret: password in a URL': ['second', 'symbols'],
  'Deployment: variable': ['second', 'unicode'],
  'Deployment: variable of an init container': ['second', 'symbols'],
  'Deployment: another variable': ['second', 'quotes'],
  'Deployment: password in a URL of a variable': ['second', 'quotes'],
  'Deployment: option': ['second', 'spaces'],
  'Deployment: option and its value': ['second', 'base64'],
  'Deployment: annotation with a password in a URL': ['second', 'hex'],
  'StatefulSet: variable': ['second', 'lines'],
  'CronJob: variable': ['second', 'quotes'],
  'ConfigMap: entry': ['second', 'symbols'],
  'ConfigMap: line of properties': ['second', 'base64'],
  'ConfigMap: password in a URL': ['second', 'unicode'],
} as const satisfies Record<string, readonly [KnownFrom, Alphabet]>

export type Place = keyof typeof PLACES

/** What nobody has told Rollsafe of: it is hidden by its shape alone. */
function shapes(): Plant[] {
  const shape = (where: string, secret: string, around: (secret: string) => string): Plant => ({
    where,
    knownFrom: 'shape',
    secret,
    shaped: around(secret),
  })
  const frame = (mark: string): string => `-----${mark} PRIVATE KEY-----`
  const json = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return [
    shape('log: password in a URL', word(), (secret) => `connecting to amqp://shop:${secret}@queue:5672/shop`),
    shape('log: bearer token', word() + word(), (secret) => `< Authorization: Bearer ${secret}`),
    shape('log: JSON Web Token', word() + word(), (secret) => `got ${json({ alg: 'x' })}.${json({ a: 1 })}.${secret}`),
    shape('log: token of GitHub', word() + word(), (secret) => `using ${['ghp', secret].join('_')} to pull`),
    shape('log: variable', word(), (secret) => `SMTP_PASSWORD=${secret}`),
    shape('log: query', word(), (secret) => `GET /hook?access_token=${secret}&page=1 401`),
    shape('log: private key', word(), (secret) => [frame('BEGIN'), secret, frame('END')].join(String.raw`\n`)),
    shape('log: private key in lines', word(), (secret) => [frame('BEGIN'), word(), secret, frame('END')].join('\n')),
  ]
}

export interface Garden {
  readonly plants: readonly Plant[]
  at(place: Place): string
}

/** Plants a new secret at every place; `credentials` are those that the login itself has. */
export function plant(credentials: Readonly<Record<string, string>>): Garden {
  const places = Object.entries(PLACES) as [Place, readonly [KnownFrom, Alphabet]][]
  const secrets = new Map(places.map(([place, [, alphabet]]) => [place, ALPHABETS[alphabet]()]))
  const at = (place: Place): string => secrets.get(place) ?? ''
  return {
    plants: [
      ...Object.entries(credentials).map(([where, secret]): Plant => ({ where, knownFrom: 'credentials', secret })),
      ...places.map(([where, [knownFrom]]): Plant => ({ where, knownFrom, secret: at(where) })),
      ...shapes(),
    ],
    at,
  }
}
