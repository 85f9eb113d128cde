/** Digests from a real registry; what a healthy one cannot be asked for is in __tests__/adapters/registry. */
import { describe, expect, it } from '@jest/globals'
import { createRegistry } from '../../src/adapters/registry/registry.ts'
import { problemsOfAsync } from '../manifest/problems.ts'
import { dockerConfig, HTPASSWD_USER, passwordEntry, startRegistry, startTokenServer } from './registry.ts'

const NEVER = new AbortController().signal

function resolver(folder = '/nowhere') {
  const masked: string[] = []
  const registry = createRegistry({ env: { DOCKER_CONFIG: folder }, mask: (secret) => masked.push(secret) })
  return { masked, resolve: (reference: string) => registry.resolve(reference, NEVER) }
}

describe('the digest of a tag', () => {
  it('is that of the image, and of the index when there are several platforms', async () => {
    await using registry = await startRegistry()
    const { resolve } = resolver()
    const first = await registry.push('shop/web', 'v1')
    const index = await registry.pushIndex('shop/web', 'many')
    expect(await resolve(`${registry.host}/shop/web:v1`)).toBe(first)
    expect(await resolve(`${registry.host}/shop/web:many`)).toBe(index)
    const second = await registry.push('shop/web', 'v1')
    expect(second).not.toBe(first)
    expect(await resolve(`${registry.host}/shop/web:v1`)).toBe(second)
  })

  it.each(['shop/web:v2', 'shop/none:v1'])('is not there for %s', async (image) => {
    await using registry = await startRegistry()
    await registry.push('shop/web', 'v1')
    const reference = `${registry.host}/${image}`
    expect(await problemsOfAsync(() => resolver().resolve(reference))).toMatchObject([
      {
        code: 'ImagePull',
        message: `${registry.host} has no such image`,
        hint: expect.stringContaining('Push the image before this step'),
      },
    ])
  })
})

describe('a registry with passwords', () => {
  it('is logged in to as docker login has it', async () => {
    await using registry = await startRegistry('htpasswd')
    const entry = passwordEntry(HTPASSWD_USER, registry.password)
    const digest = await registry.push('shop/web', 'v1', `Basic ${entry.auth}`)
    await using config = await dockerConfig({ auths: { [registry.host]: entry } })
    const { resolve, masked } = resolver(config.folder)
    expect(await resolve(`${registry.host}/shop/web:v1`)).toBe(digest)
    expect(masked).toEqual([registry.password, entry.auth])
  })

  it('is not guessed at', async () => {
    await using registry = await startRegistry('htpasswd')
    await using config = await dockerConfig({ auths: { [registry.host]: passwordEntry(HTPASSWD_USER, 'not this') } })
    const reference = `${registry.host}/shop/web:v1`
    expect(await problemsOfAsync(() => resolver().resolve(reference))).toMatchObject([
      {
        code: 'ImagePull',
        message: `${registry.host} does not let anybody without a login read it (401)`,
        hint: expect.stringContaining(
          `Log in before this step, by docker/login-action with registry: ${registry.host}.`,
        ),
      },
    ])
    expect(await problemsOfAsync(() => resolver(config.folder).resolve(reference))).toMatchObject([
      {
        message: `${registry.host} does not let the login of this runner read it (401)`,
        hint: expect.stringContaining('Check that the login is still good'),
      },
    ])
  })
})

describe('a registry with a token server', () => {
  it.each([
    ['a password', (server: { user: string; password: string }) => passwordEntry(server.user, server.password), 'GET'],
    ['an identity token', (server: { identityToken: string }) => ({ identitytoken: server.identityToken }), 'POST'],
  ])('is logged in to with %s, for this repository and to pull', async (_, entryOf, method) => {
    await using tokens = await startTokenServer()
    await using registry = await startRegistry(tokens.auth)
    const digest = await registry.push('shop/web', 'v1', tokens.authorization('shop/web'))
    await using config = await dockerConfig({ auths: { [registry.host]: entryOf(tokens) } })
    const { resolve, masked } = resolver(config.folder)
    expect(await resolve(`${registry.host}/shop/web:v1`)).toBe(digest)
    expect(tokens.requests).toEqual([`${method} registry repository:shop/web:pull`])
    // The login, and the token.
    expect(masked).toHaveLength(method === 'GET' ? 3 : 2)
  })

  it('gives a token to everybody for a public image', async () => {
    await using tokens = await startTokenServer()
    await using registry = await startRegistry(tokens.auth)
    const digest = await registry.push('public/web', 'v1', tokens.authorization('public/web'))
    await using config = await dockerConfig({ credsStore: 'desktop' })
    expect(await resolver(config.folder).resolve(`${registry.host}/public/web:v1`)).toBe(digest)
  })

  it.each([
    ['without a login', {}, 'Log in before this step'],
    ['with a login that is kept by a program', { credsStore: 'desktop' }, 'docker-credential-desktop, which Rollsafe'],
  ])('refuses a private image %s', async (_, content, hint) => {
    await using tokens = await startTokenServer()
    await using registry = await startRegistry(tokens.auth)
    await registry.push('shop/web', 'v1', tokens.authorization('shop/web'))
    await using config = await dockerConfig(content)
    expect(await problemsOfAsync(() => resolver(config.folder).resolve(`${registry.host}/shop/web:v1`))).toMatchObject([
      { code: 'ImagePull', message: expect.stringContaining('(401)'), hint: expect.stringContaining(hint) },
    ])
  })
})
