/** `replica is`, `replicas are`: noun and verb as they follow `2 of 3`, agreeing with the whole. */
export function are(count: number, noun: string): string {
  return count === 1 ? `${noun} is` : `${noun}s are`
}

/** `new pod has`, `new pods have`. */
export function have(count: number, noun: string): string {
  return count === 1 ? `${noun} has` : `${noun}s have`
}
