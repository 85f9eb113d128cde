import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { credentialsIn } from '../../../src/adapters/kube/credentials.ts'

const random = (): string => randomBytes(12).toString('hex')
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const kubeconfig = (user: unknown, cluster: unknown = { server: 'https://localhost' }): string =>
  JSON.stringify({
    kind: 'Config',
    users: [
      { name: 'a', user: {} },
      { name: 'b', user },
    ],
    clusters: [{ cluster }],
  })

describe('the credentials in a kubeconfig', () => {
  it('are its tokens, passwords and keys, of every user', () => {
    const [token, password, key] = [random(), random(), random()]
    const user = {
      token,
      username: 'mona',
      password,
      'client-key-data': base64(key),
      'client-certificate-data': 'LS0t',
    }
    expect(credentialsIn(kubeconfig(user))).toEqual([token, password, base64(key), base64(`mona:${password}`), key])
  })

  it('are what a login plugin is given, by its name', () => {
    const [secret, option, refresh] = [random(), random(), random()]
    const exec = {
      command: 'kubelogin',
      args: ['get-token', `--client-secret=${option}`, '--server-id', 'public'],
      env: [
        { name: 'AWS_SECRET_ACCESS_KEY', value: secret },
        { name: 'AWS_PROFILE', value: 'shop' },
      ],
    }
    expect(credentialsIn(kubeconfig({ exec }))).toEqual([secret, option])
    expect(
      credentialsIn(kubeconfig({ 'auth-provider': { config: { 'refresh-token': refresh, 'client-id': 'x' } } })),
    ).toEqual([refresh])
  })

  it('are the passwords in its addresses', () => {
    const [one, other] = [random(), random()]
    const cluster = { server: `https://u:${one}@host`, 'proxy-url': `http://u:${other}%2F@proxy:3128` }
    expect(credentialsIn(kubeconfig({}, cluster))).toEqual([one, `${other}%2F`, `${other}/`])
  })

  it.each([
    '',
    'a: [',
    'just text',
    '[]',
    '{"users":[1,{"user":2}],"clusters":{}}',
    kubeconfig({ token: 5, exec: [] }),
  ])('are none in %j', (text) => {
    expect(credentialsIn(text)).toEqual([])
  })
})
