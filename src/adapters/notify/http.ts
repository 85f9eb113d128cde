import { type Dispatcher, request as send } from 'undici'
import type { Environment } from '../../inputs/run.ts'
import { VERSION } from '../../version.ts'
import { deepestMessage } from '../kube/status.ts'
import { openDispatchers } from '../network/dispatchers.ts'
import { carefulLookup, refuseMetadataAddress } from '../network/metadata-addresses.ts'

export interface Message {
  readonly method: 'POST' | 'PUT' | 'PATCH'
  readonly url: URL
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends messages to others: once, without following redirects, and without reading more of an answer than is needed. */
export interface Messenger {
  /** The beginning of the answer to a message that was taken (2xx). Throws an Error that says why it was not. */
  tell(message: Message, signal: AbortSignal): Promise<string>
}

export interface MessengerOptions {
  readonly env: Environment
  /** Addresses that only this machine's network knows may be spoken to. */
  readonly allowLinkLocal: boolean
}

const CONNECT_TIMEOUT_MS = 5_000
const MOST_BYTES = 64 * 1024
const LONGEST_REASON = 200

export function createMessenger({ env, allowLinkLocal }: MessengerOptions): Messenger {
  return {
    async tell({ method, url, contentType, headers, body }, signal) {
      const address = url.hostname.replace(/^\[|\]$/g, '')
      if (!allowLinkLocal) refuseMetadataAddress(address)
      const lookup = allowLinkLocal ? {} : { lookup: carefulLookup() }
      const dispatchers = openDispatchers({ env, connectTimeoutMs: CONNECT_TIMEOUT_MS, ...lookup })
      try {
        const response = await send(url, {
          method,
          dispatcher: dispatchers.to(url),
          headers: { 'user-agent': `rollsafe/${VERSION}`, 'content-type': contentType, ...headers },
          body,
          signal,
        })
        const answer = await beginningOf(response.body)
        if (response.statusCode >= 200 && response.statusCode < 300) return answer
        throw new Error(reasonFor(response.statusCode, answer))
      } catch (error) {
        signal.throwIfAborted()
        throw new Error(deepestMessage(error), { cause: error })
      } finally {
        await dispatchers.destroy()
      }
    },
  }
}

async function beginningOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    // Leaving the loop ends the connection.
    if (size >= MOST_BYTES) break
  }
  return Buffer.concat(chunks).subarray(0, MOST_BYTES).toString('utf8')
}

function reasonFor(status: number, answer: string): string {
  if (status >= 300 && status < 400)
    return `the answer is a redirect (${status}), which is not followed: name the final address`
  const text = answer.replace(/\s+/g, ' ').trim().slice(0, LONGEST_REASON)
  return `the answer is ${status}${text === '' ? '' : `: ${text}`}`
}
