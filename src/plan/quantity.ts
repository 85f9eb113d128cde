/**
 * Kubernetes quantities such as `100m`, `0.5`, `1Gi` or `1e3`, as thousandths in a BigInt: exact, as resources have no
 * finer step (apimachinery, pkg/api/resource/quantity.go; core/v1/defaults.go, SetDefaults_ResourceList).
 */

const QUANTITY =
  /^(?<sign>[+-]?)(?<whole>\d*)(?:\.(?<fraction>\d*))?(?<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2}|)$/

const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const BINARY_UNITS = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const

/** Where the API server cuts off what is written with a binary unit: 2^63 - 1. */
const MOST_BINARY = (2n ** 63n - 1n) * 1000n

/** Far beyond every real quantity; text that is longer only wastes time. */
const LONGEST = 64

/**
 * The quantity in thousandths: `100m` is 100n, `1Gi` is 1024n ** 3n * 1000n. What is finer is rounded away from zero, as
 * the API server does. Takes JSON's numbers too; undefined for anything that is no quantity.
 */
export function parseQuantity(value: unknown): bigint | undefined {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || text.length > LONGEST) return undefined
  const groups = QUANTITY.exec(text)?.groups
  if (!groups) return undefined
  const { sign, whole = '', fraction = '', suffix = '' } = groups
  if (whole === '' && fraction === '') return undefined
  const digits = BigInt(whole + fraction)
  const power = BINARY_UNITS.findIndex((unit) => unit === suffix) + 1
  const exponent = (power > 0 ? 0 : (DECIMAL_EXPONENTS[suffix] ?? Number(suffix.slice(1)))) + 3 - fraction.length
  const scaled = digits * 1024n ** BigInt(power)
  const exact = exponent >= 0 ? scaled * 10n ** BigInt(exponent) : dividedUp(scaled, 10n ** BigInt(-exponent))
  const amount = power > 0 && exact > MOST_BINARY ? MOST_BINARY : exact
  return sign === '-' ? -amount : amount
}

function dividedUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}

/**
 * Thousandths for people: `1500m` for CPU and counts, and for bytes the largest binary unit with at most two decimals, as
 * `1.5Gi` or `123Mi`. The resource is a name as in a ResourceQuota (`requests.memory`) or in a pod (`memory`).
 */
export function formatQuantity(amount: bigint, resource: string): string {
  if (amount < 0n) return `-${formatQuantity(-amount, resource)}`
  if (!isBytes(resource)) return amount % 1000n === 0n ? String(amount / 1000n) : `${amount}m`
  const bytes = dividedUp(amount, 1000n)
  const power = BINARY_UNITS.findLastIndex((_, index) => bytes >= 1024n ** BigInt(index + 1)) + 1
  if (power === 0) return String(bytes)
  const unit = 1024n ** BigInt(power)
  const hundredths = (bytes * 100n + unit / 2n) / unit
  const decimals = String(hundredths % 100n)
    .padStart(2, '0')
    .replace(/0+$/, '')
  return `${hundredths / 100n}${decimals === '' ? '' : `.${decimals}`}${BINARY_UNITS[power - 1] ?? ''}`
}

function isBytes(resource: string): boolean {
  const name = resource.replace(/^(?:requests|limits)\./, '')
  return name === 'memory' || name === 'storage' || name === 'ephemeral-storage' || name.startsWith('hugepages-')
}
