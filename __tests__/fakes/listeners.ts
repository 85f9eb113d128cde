/**
 * Slack's incoming webhook, Grafana's annotations and a webhook of one's own, on one loopback port. Each message is held against
 * what its documentation says of every field, and what does not agree is a violation; tests assert that there are none.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Something that a listener does instead of answering. */
export type Trouble = 'hang' | 'error' | 'redirect' | 'endless' | 'reset'

export interface FakeAnnotation {
  readonly id: number
  readonly dashboardUID?: string
  readonly panelId?: number
  time: number
  timeEnd?: number
  tags: readonly string[]
  text: string
}

export interface FakeListeners extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** The path of Slack's webhook. */
  readonly slackPath: string
  /** Method and path of every request. */
  readonly requests: readonly string[]
  readonly violations: readonly string[]
  /** The blocks of each message to the channel, as text. */
  readonly messages: readonly string[]
  readonly annotations: readonly FakeAnnotation[]
  /** What came to the webhook and was signed well. */
  readonly reports: readonly unknown[]
  /** From now on all that begins with the path is answered so. */
  trouble(path: string, kind: Trouble): void
}

export interface ListenersOptions {
  /** Grafana's. */
  readonly token: string
  /** The webhook's. */
  readonly secret: string
}

type Fields = Record<string, unknown>

export async function startListeners({ token, secret }: ListenersOptions): Promise<FakeListeners> {
  const slackPath = '/services/T0000000/B0000000/somewhere'
  const requests: string[] = []
  const violations: string[] = []
  const messages: string[] = []
  const annotations: FakeAnnotation[] = []
  const reports: unknown[] = []
  const troubles: { path: string; kind: Trouble }[] = []

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      requests.push(`${request.method} ${path}`)
      const fault = troubles.findLast((one) => path.startsWith(one.path))
      if (fault) return misbehave(fault.kind, request, response)
      answer(request, Buffer.concat(chunks), response)
    })
  })

  function answer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const wrong = (what: string): void => void violations.push(`${request.method} ${request.url}: ${what}`)
    const text = body.toString('utf8')
    if (!/^rollsafe\/\d/.test(request.headers['user-agent'] ?? '')) wrong('no user agent')
    if (request.headers['content-type'] !== 'application/json') wrong('is not sent as JSON')
    const [path = ''] = (request.url ?? '').split('?')
    const fields = JSON.parse(text) as Fields
    if (path === slackPath && request.method === 'POST') {
      checkSlack(fields, wrong)
      messages.push((fields['blocks'] as { text: { text: string } }[]).map((block) => block.text.text).join('\n'))
      response.end('ok')
    } else if (path.startsWith('/grafana/api/annotations')) {
      if (request.headers.authorization !== `Bearer ${token}`) return refuse(response, 401, { message: 'Unauthorized' })
      annotate(request.method ?? '', path, fields, wrong, response)
    } else if (path === '/hook' && request.method === 'POST') {
      if (isSigned(request, body, secret)) reports.push(fields)
      else wrong('is not signed well')
      response.writeHead(204).end()
    } else {
      wrong('is nothing that exists')
      refuse(response, 404, {})
    }
  }

  /** https://grafana.com/docs/grafana/latest/developers/http_api/annotations/ */
  function annotate(
    method: string,
    path: string,
    fields: Fields,
    wrong: (what: string) => void,
    response: ServerResponse,
  ): void {
    checkAnnotation(fields, wrong)
    if (method === 'POST' && path === '/grafana/api/annotations') {
      if (typeof fields['text'] !== 'string' || fields['text'] === '')
        return refuse(response, 400, { message: 'text field should not be empty' })
      const annotation = { ...(fields as Partial<FakeAnnotation>), id: 1124 + annotations.length } as FakeAnnotation
      annotations.push(annotation)
      json(response, 200, { message: 'Annotation added', id: annotation.id })
    } else if (method === 'PATCH') {
      const annotation = annotations.find(({ id }) => path === `/grafana/api/annotations/${id}`)
      if (!annotation) return refuse(response, 404, { message: 'Annotation not found' })
      const unknown = Object.keys(fields).filter((name) => !['text', 'tags', 'time', 'timeEnd', 'data'].includes(name))
      if (unknown.length > 0) wrong(`cannot change ${unknown.join(', ')}`)
      Object.assign(annotation, fields)
      json(response, 200, { message: 'Annotation patched' })
    } else wrong('is no method of it')
  }

  function misbehave(kind: Trouble, request: IncomingMessage, response: ServerResponse): void {
    switch (kind) {
      case 'hang':
        return
      case 'error':
        return refuse(response, 500, { message: 'something broke' })
      case 'redirect':
        return void response.writeHead(307, { location: '/elsewhere' }).end()
      case 'reset':
        return void request.socket.destroy()
      case 'endless': {
        response.writeHead(200, { 'content-type': 'application/json' })
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(16_384)));
        }
        response.on('drain', more)
        return more()
      }
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    slackPath,
    requests,
    violations,
    messages,
    annotations,
    reports,
    trouble: (path, kind) => troubles.push({ path, kind }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** https://docs.slack.dev/reference/block-kit/blocks/section-block and the fields of an incoming webhook. */
function checkSlack(fields: Fields, wrong: (what: string) => void): void {
  const known = ['text', 'blocks', 'unfurl_links', 'unfurl_media']
  for (const name of Object.keys(fields)) if (!known.includes(name)) wrong(`has the field ${name}`)
  if (typeof fields['text'] !== 'string' || fields['text'] === '') wrong('no_text')
  const blocks = fields['blocks']
  if (!Array.isArray(blocks) || blocks.length === 0 || blocks.length > 50) return wrong('invalid_blocks')
  for (const block of blocks as { type?: unknown; text?: { type?: unknown; text?: unknown } }[]) {
    if (Object.keys(block).toSorted().join() !== 'text,type' || block.type !== 'section') wrong('invalid_blocks')
    const text = block.text
    if (!text || Object.keys(text).toSorted().join() !== 'text,type' || text.type !== 'mrkdwn')
      return wrong('invalid_blocks')
    if (typeof text.text !== 'string' || text.text.length === 0 || text.text.length > 3000) wrong('invalid_blocks')
  }
}

const ANNOTATION_FIELDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  dashboardUID: (value) => typeof value === 'string',
  panelId: Number.isSafeInteger,
  // Seconds would be in January 1970.
  time: (value) => Number.isSafeInteger(value) && (value as number) > 1e12,
  timeEnd: (value) => Number.isSafeInteger(value) && (value as number) > 1e12,
  tags: (value) => Array.isArray(value) && value.every((tag) => typeof tag === 'string' && tag !== ''),
  text: (value) => typeof value === 'string',
}

function checkAnnotation(fields: Fields, wrong: (what: string) => void): void {
  for (const [name, value] of Object.entries(fields)) {
    if (ANNOTATION_FIELDS[name]?.(value) !== true) wrong(`the field ${name} is ${JSON.stringify(value)}`)
  }
}

/** As a receiver would do it, in the words of the README. */
function isSigned(request: IncomingMessage, body: Buffer, secret: string): boolean {
  const timestamp = String(request.headers['x-rollsafe-timestamp'])
  const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) < 300
  const wanted = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')
  const given = Buffer.from(String(request.headers['x-rollsafe-signature-256']))
  const expected = Buffer.from(`sha256=${wanted}`)
  return isFresh && given.length === expected.length && timingSafeEqual(given, expected)
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function refuse(response: ServerResponse, status: number, body: object): void {
  json(response, status, body)
}
