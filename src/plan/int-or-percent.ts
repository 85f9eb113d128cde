/**
 * The pods that a number or a percentage (`25%`) of `total` pods stands for, rounded as its field asks for
 * (apimachinery, pkg/util/intstr, GetScaledValueFromIntOrPercent). What is neither counts as 0: the API server refuses it.
 */
export function scaledValue(value: unknown, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || !/^\d+%$/.test(value)) return 0
  const share = (Number(value.slice(0, -1)) * total) / 100
  return rounding === 'up' ? Math.ceil(share) : Math.floor(share)
}

/** True for `0` and `0%`, which the API server does not accept for all bounds of a strategy at once. */
export function isZeroBound(value: unknown): boolean {
  return value === 0 || (typeof value === 'string' && /^0+%$/.test(value))
}
