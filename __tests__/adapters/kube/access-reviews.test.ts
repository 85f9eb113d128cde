import { describe, expect, it } from '@jest/globals'
import { createAccessReviews } from '../../../src/adapters/kube/access-reviews.ts'
import { clientOf, json, startFakeApiServer, status } from '../../fakes/api-server.ts'

describe('access reviews', () => {
  it('read the rules of a namespace, and leave out what is no rule', async () => {
    const rule = { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] }
    const answer = { status: { incomplete: true, resourceRules: [rule, { verbs: ['*'] }, 'x'], nonResourceRules: [] } }
    await using server = await startFakeApiServer([json(201, answer)])
    expect(await createAccessReviews(clientOf(server)).rules('shop')).toEqual([
      rule,
      { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [] },
    ])
    expect(server.requests).toEqual(['POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews'])
  })

  it.each([
    [{ allowed: true }, true],
    [{ allowed: false, reason: 'no' }, false],
    [{}, false],
  ])('take %j for %s', async (given, isAllowed) => {
    await using server = await startFakeApiServer([json(201, { status: given })])
    const question = { verb: 'get', group: '', resource: 'pods/log', namespace: 'shop' }
    expect(await createAccessReviews(clientOf(server)).isAllowed(question)).toBe(isAllowed)
  })

  it('tell who the login is', async () => {
    await using server = await startFakeApiServer([json(201, { status: { userInfo: { username: 'mona' } } })])
    expect(await createAccessReviews(clientOf(server)).userName()).toBe('mona')
  })

  it('fail as requests do', async () => {
    await using server = await startFakeApiServer([status(403, 'Forbidden')])
    await expect(createAccessReviews(clientOf(server)).rules('shop')).rejects.toMatchObject({
      status: 403,
      request: 'create selfsubjectrulesreviews.authorization.k8s.io',
    })
  })
})
