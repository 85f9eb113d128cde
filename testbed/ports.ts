/** Free ports of this machine, so that clusters can run side by side. */
import { createServer } from 'node:net'

/**
 * `count` ports on which nothing listens now. They are drawn at random from below the range that systems hand out by
 * themselves (it begins at 32768 on Linux), so that neither outgoing connections nor other testbeds are likely to take them.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 1_000) throw new Error('The testbed found no free ports between 20000 and 32000 on 127.0.0.1')
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)))
  })
}
