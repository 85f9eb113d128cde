/** Whether an address is on this machine: the only servers that are spoken to without TLS unless somebody asks for it. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}
