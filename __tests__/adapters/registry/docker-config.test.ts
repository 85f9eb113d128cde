import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readCredentials } from '../../../src/adapters/registry/docker-config.ts'
import { problemsOfAsync } from '../../manifest/problems.ts'

const SECRET = randomBytes(12).toString('hex')
const base64 = (text: string) => Buffer.from(text).toString('base64')
const ENTRY = { auth: base64(`mona:${SECRET}`) }
const MONA = { type: 'password', user: 'mona', password: SECRET }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollsafe-docker-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function read(registry: string, config: unknown) {
  await writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config))
  return readCredentials(registry, { DOCKER_CONFIG: folder })
}

describe('the login for a registry', () => {
  it.each([
    ['by its name', 'ghcr.io', { auths: { 'ghcr.io': ENTRY } }, MONA],
    ['by its name and port', 'reg.example:5000', { auths: { 'reg.example:5000': ENTRY } }, MONA],
    ['not by another port', 'reg.example:5001', { auths: { 'reg.example:5000': ENTRY } }, undefined],
    ['not by a name that ends alike', 'ghcr.io', { auths: { 'not-ghcr.io': ENTRY } }, undefined],
    ['not by a name that begins alike', 'ghcr.io', { auths: { 'ghcr.io.example': ENTRY } }, undefined],
    ['by the address of its API', 'reg.example', { auths: { 'https://reg.example/v2/': ENTRY } }, MONA],
    ['of Docker Hub', 'docker.io', { auths: { 'https://index.docker.io/v1/': ENTRY } }, MONA],
    [
      'with a colon and a new line in the password',
      'ghcr.io',
      { auths: { 'ghcr.io': { auth: base64(`mona:a:b\n${SECRET}`) } } },
      { ...MONA, password: `a:b\n${SECRET}` },
    ],
    ['with fields of their own', 'ghcr.io', { auths: { 'ghcr.io': { username: 'mona', password: SECRET } } }, MONA],
    [
      'with an identity token, which goes before',
      'ghcr.io',
      { auths: { 'ghcr.io': { ...ENTRY, identitytoken: `${SECRET}2` } } },
      { type: 'identity', token: `${SECRET}2` },
    ],
    [
      'in a store',
      'ghcr.io',
      { auths: { 'ghcr.io': {} }, credsStore: 'desktop' },
      { type: 'helper', program: 'docker-credential-desktop' },
    ],
    [
      'with a helper of its own',
      'eu-docker.pkg.dev',
      { credHelpers: { 'eu-docker.pkg.dev': 'gcloud' }, credsStore: 'desktop' },
      { type: 'helper', program: 'docker-credential-gcloud' },
    ],
    ['beside a store', 'ghcr.io', { auths: { 'ghcr.io': ENTRY }, credsStore: 'desktop' }, MONA],
    ['of nobody', 'ghcr.io', { auths: {} }, undefined],
    ['in a file without logins', 'ghcr.io', { auths: null, credHelpers: 1, HttpHeaders: {} }, undefined],
  ])('%s', async (_, registry, config, expected) => {
    expect(await read(registry, config)).toEqual(expected)
  })

  it('is looked for in the home folder', async () => {
    await mkdir(join(folder, '.docker'))
    await writeFile(join(folder, '.docker', 'config.json'), JSON.stringify({ auths: { 'ghcr.io': ENTRY } }))
    expect(await readCredentials('ghcr.io', { HOME: folder })).toEqual(MONA)
    expect(await readCredentials('ghcr.io', { HOME: folder, DOCKER_CONFIG: join(folder, 'none') })).toBeUndefined()
    expect(await readCredentials('ghcr.io', {})).toBeUndefined()
  })

  it.each([
    ['a file that is no JSON', `{"auths": {"ghcr.io": {"auth": "${base64(`mona:${SECRET}`)}"`, 'is no JSON object'],
    ['a file that is a list', '[]', 'is no JSON object'],
    ['a login without a user', { auths: { 'ghcr.io': { auth: base64(SECRET) } } }, 'is not base64 of user:password'],
  ])('is an error in %s, which is not quoted', async (_, config, message) => {
    const [problem] = await problemsOfAsync(() => read('ghcr.io', config))
    expect(problem).toMatchObject({ code: 'InvalidInput', hint: expect.stringContaining('docker/login-action') })
    expect(problem?.message).toContain(message)
    expect(JSON.stringify(problem)).not.toContain(SECRET)
    expect(JSON.stringify(problem)).not.toContain(base64(`mona:${SECRET}`))
  })
})
