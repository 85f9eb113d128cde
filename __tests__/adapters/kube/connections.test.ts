import { describe, expect, it } from '@jest/globals'
import { createConnections } from '../../../src/adapters/kube/connections.ts'

const open = () => createConnections({ tls: { rejectUnauthorized: true } })
const certificate = (name: string) => ({ cert: `cert of ${name}`, key: `key of ${name}` })

describe('connections', () => {
  it('are kept for as long as the client certificate is the same', async () => {
    const connections = open()
    const first = connections.poolsFor(certificate('a'))
    expect(connections.poolsFor(certificate('a'))).toBe(first)
    const second = connections.poolsFor(certificate('b'))
    expect(second.requests).not.toBe(first.requests)
    expect(second.streams).not.toBe(first.streams)
    await connections.destroy()
  })

  it('are replaced once, when requests that shared them time out together', async () => {
    const connections = open()
    const { requests, streams } = connections.poolsFor(undefined)
    connections.replaceRequests(requests)
    const replaced = connections.poolsFor(undefined)
    expect(replaced.requests).not.toBe(requests)
    expect(replaced.streams).toBe(streams)
    connections.replaceRequests(requests)
    expect(connections.poolsFor(undefined).requests).toBe(replaced.requests)
    await connections.destroy()
  })
})
