import { describe, expect, it } from '@jest/globals'
import { createCluster } from '../../../src/adapters/kube/cluster.ts'
import { ClusterError } from '../../../src/errors.ts'
import type { Observation, Query } from '../../../src/ports.ts'
import { accessTo, type Answer, json, reset, startFakeApiServer, status, stream } from '../../fakes/api-server.ts'

const QUERY: Query = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop' }
const DISCOVERY = json(200, {
  kind: 'APIGroupDiscoveryList',
  items: [
    {
      versions: [
        {
          version: 'v1',
          resources: [
            { resource: 'configmaps', responseKind: { kind: 'ConfigMap' }, scope: 'Namespaced', verbs: ['watch'] },
          ],
        },
      ],
    },
  ],
})

const item = (name: string, resourceVersion: string) => ({
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion },
})
const list = (resourceVersion: string, ...items: object[]) =>
  json(200, { kind: 'ConfigMapList', metadata: { resourceVersion }, items })
const event = (type: string, name: string, resourceVersion: string) => ({ type, object: item(name, resourceVersion) })

const CANNOT_STREAM = status(422, 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch')

/** The first `count` observations, shortly, and the requests they took, of a server that cannot stream lists. */
async function observe(answers: readonly Answer[], count: number, from?: string) {
  const { seen, asked } = await observeAny(from === undefined ? [CANNOT_STREAM, ...answers] : answers, count, from)
  return { seen, asked: from === undefined ? asked.slice(1) : asked }
}

async function observeAny(answers: readonly Answer[], count: number, from?: string) {
  await using server = await startFakeApiServer([DISCOVERY, ...answers])
  const cluster = createCluster(accessTo(server))
  const stop = new AbortController()
  const seen: string[] = []
  try {
    for await (const observation of cluster.watch(QUERY, {
      signal: stop.signal,
      ...(from !== undefined && { from }),
    })) {
      seen.push(shortly(observation))
      if (seen.length === count) break
    }
  } finally {
    stop.abort(new Error('enough'))
    await cluster.close()
  }
  const asked = server.requests
    .slice(1)
    .map((request) =>
      request.includes('sendInitialEvents=true')
        ? 'list and watch'
        : request.includes('watch=true')
          ? `watch from ${/resourceVersion=([^&]*)/.exec(request)?.[1]}`
          : 'list',
    )
  return { seen, asked }
}

function shortly(observation: Observation): string {
  switch (observation.type) {
    case 'listed':
      return `listed ${observation.objects.map(({ metadata }) => metadata.name).join(',')}`
    case 'changed':
    case 'deleted':
      return `${observation.type} ${observation.object.metadata.name}`
    case 'lost':
    case 'found':
      return observation.type
  }
}

describe('a list that is streamed', () => {
  const END = {
    type: 'BOOKMARK',
    object: { metadata: { resourceVersion: '10', annotations: { 'k8s.io/initial-events-end': 'true' } } },
  }

  it('is one request with the watch', async () => {
    const events = [event('ADDED', 'a', '5'), event('ADDED', 'b', '6'), END, event('MODIFIED', 'a', '12')]
    expect(await observeAny([stream(events, 'open')], 2)).toEqual({
      seen: ['listed a,b', 'changed a'],
      asked: ['list and watch'],
    })
  })

  it('may be empty, and what is deleted before its end is not in it', async () => {
    const events = [event('ADDED', 'a', '5'), event('DELETED', 'a', '6'), END, event('ADDED', 'b', '12')]
    expect(await observeAny([stream(events, 'open')], 2)).toMatchObject({ seen: ['listed ', 'changed b'] })
  })

  it('is resumed from its end', async () => {
    const answers = [stream([event('ADDED', 'a', '5'), END]), stream([event('ADDED', 'b', '11')], 'open')]
    expect(await observeAny(answers, 2)).toEqual({
      seen: ['listed a', 'changed b'],
      asked: ['list and watch', 'watch from 10'],
    })
  })

  it('that breaks off is no list, and begins anew', async () => {
    const answers = [
      stream([event('ADDED', 'a', '5'), event('BOOKMARK', '', '6')], 'reset'),
      stream([event('ADDED', 'b', '7'), END], 'open'),
    ]
    expect(await observeAny(answers, 3)).toEqual({
      seen: ['lost', 'found', 'listed b'],
      asked: ['list and watch', 'list and watch'],
    })
  })

  it.each([400, 422])('is not asked for again of a server that refuses it with %d', async (code) => {
    const answers = [status(code, 'unknown parameter'), list('10', item('a', '5')), status(410, 'too old'), list('20')]
    expect(await observeAny(answers, 2)).toEqual({
      seen: ['listed a', 'listed '],
      asked: ['list and watch', 'list', 'watch from 10', 'list'],
    })
  })

  it('is asked for again after its resourceVersion has expired', async () => {
    const answers = [stream([END]), status(410, 'too old'), stream([event('ADDED', 'b', '40'), END], 'open')]
    expect(await observeAny(answers, 2)).toMatchObject({ asked: ['list and watch', 'watch from 10', 'list and watch'] })
  })
})

describe('the watch', () => {
  it('lists, then goes on from the list', async () => {
    const answers = [
      list('10', item('a', '5')),
      stream([event('ADDED', 'b', '11'), event('MODIFIED', 'a', '12'), event('DELETED', 'b', '13')], 'open'),
    ]
    expect(await observe(answers, 4)).toEqual({
      seen: ['listed a', 'changed b', 'changed a', 'deleted b'],
      asked: ['list', 'watch from 10'],
    })
  })

  it('goes on from where it is told, without a list', async () => {
    expect(await observe([stream([event('ADDED', 'b', '11')], 'open')], 1, '10')).toEqual({
      seen: ['changed b'],
      asked: ['watch from 10'],
    })
  })

  it('resumes after the last event when the server closes the stream', async () => {
    const answers = [list('10'), stream([event('ADDED', 'a', '11')]), stream([event('ADDED', 'b', '12')], 'open')]
    expect(await observe(answers, 3)).toEqual({
      seen: ['listed ', 'changed a', 'changed b'],
      asked: ['list', 'watch from 10', 'watch from 11'],
    })
  })

  it('resumes after a bookmark, which is not shown', async () => {
    const answers = [list('10'), stream([event('BOOKMARK', '', '20')]), stream([event('ADDED', 'b', '21')], 'open')]
    expect(await observe(answers, 2)).toEqual({
      seen: ['listed ', 'changed b'],
      asked: ['list', 'watch from 10', 'watch from 20'],
    })
  })

  it('drops half a line, and resumes before it', async () => {
    const half = JSON.stringify(event('ADDED', 'b', '12')).slice(0, 30)
    const answers = [
      list('10'),
      stream([event('ADDED', 'a', '11'), half], 'reset'),
      stream([event('ADDED', 'b', '12')], 'open'),
    ]
    const { seen, asked } = await observe(answers, 5)
    expect(seen).toEqual(['listed ', 'changed a', 'lost', 'found', 'changed b'])
    expect(asked).toEqual(['list', 'watch from 10', 'watch from 11'])
  })

  it.each<[string, Answer]>([
    ['a reset', reset],
    ['503', status(503, 'overloaded', { 'retry-after': '0' })],
    ['429', status(429, 'slow down', { 'retry-after': '0' })],
    [
      'an ERROR event',
      stream([{ type: 'ERROR', object: { kind: 'Status', code: 500, message: 'oops', reason: 'InternalError' } }]),
    ],
  ])('survives %s', async (_name, fault) => {
    const answers = [list('10'), fault, stream([event('ADDED', 'a', '11')], 'open')]
    expect(await observe(answers, 4)).toEqual({
      seen: ['listed ', 'lost', 'found', 'changed a'],
      asked: ['list', 'watch from 10', 'watch from 10'],
    })
  })

  it.each<[string, Answer]>([
    [
      'as an event',
      stream([
        {
          type: 'ERROR',
          object: { kind: 'Status', code: 410, message: 'too old resource version', reason: 'Expired' },
        },
      ]),
    ],
    ['as a status', status(410, 'too old resource version')],
  ])('lists again when its resourceVersion has expired, told %s', async (_name, expired) => {
    const answers = [
      list('10', item('a', '5')),
      expired,
      list('50', item('b', '40')),
      stream([event('ADDED', 'c', '51')], 'open'),
    ]
    expect(await observe(answers, 3)).toEqual({
      seen: ['listed a', 'listed b', 'changed c'],
      asked: ['list', 'watch from 10', 'list', 'watch from 50'],
    })
  })

  it.each([401, 403])('ends with %d, which waiting cannot mend', async (code) => {
    await expect(observe([list('10'), status(code, 'no')], 2)).rejects.toBeInstanceOf(ClusterError)
  })

  it('waits when it is denied what it was allowed, as a server that has just started knows no Roles yet', async () => {
    const answers = [
      list('10'),
      stream([event('ADDED', 'a', '11')], 'reset'),
      status(403, 'no'),
      stream([event('ADDED', 'b', '12')], 'open'),
    ]
    expect(await observe(answers, 5)).toEqual({
      seen: ['listed ', 'changed a', 'lost', 'found', 'changed b'],
      asked: ['list', 'watch from 10', 'watch from 11', 'watch from 11'],
    })
  })

  it('gives each object its kind, which lists leave out', async () => {
    await using server = await startFakeApiServer([DISCOVERY, list('10', item('a', '5'))])
    const cluster = createCluster(accessTo(server))
    expect((await cluster.list(QUERY)).objects).toMatchObject([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
    ])
    await cluster.close()
  })

  it('reads long lists page by page', async () => {
    const first = json(200, {
      kind: 'ConfigMapList',
      metadata: { resourceVersion: '10', continue: 'more' },
      items: [item('a', '5')],
    })
    await using server = await startFakeApiServer([DISCOVERY, first, list('10', item('b', '6'))])
    const cluster = createCluster(accessTo(server))
    expect((await cluster.list(QUERY)).objects.map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
    expect(server.requests[2]).toContain('continue=more')
    await cluster.close()
  })
})
