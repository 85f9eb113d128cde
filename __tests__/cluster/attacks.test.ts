/**
 * Kubeconfigs and manifests that are built to attack, one in each file of fixtures/attacks. Its first lines say what it tries, how it
 * is given, and with which reason and words it must be rejected. None may run, send or write anything.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { commandsIn } from '../fakes/runner-commands.ts'
import { changedKubeconfig } from './login.ts'
import { configMap, documents } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { snapshot } from './snapshot.ts'
import { testbed, type TestNamespace, withNamespace } from './testbed.ts'

const FOLDER = resolve(import.meta.dirname, '../fixtures/attacks')
/** What Rollsafe tells the runner by itself. */
const OWN_COMMANDS = ['add-mask', 'error', 'warning', 'notice', 'group', 'endgroup', 'debug']

interface Attack {
  readonly name: string
  readonly tries: string
  readonly givenAs: string
  readonly reason: string
  readonly says: string
  readonly placed: string
  readonly text: string
}

const ATTACKS = await Promise.all(
  (await readdir(FOLDER)).toSorted().map(async (file): Promise<Attack> => {
    const text = await readFile(join(FOLDER, file), 'utf8')
    const said = (what: string) => new RegExp(`^# ${what}:? (.*)$`, 'm').exec(text)?.[1] ?? ''
    const [tries, givenAs, reason, says, placed] = ['Tries to', 'given as', 'reason', 'says', 'placed'].map(said)
    return { name: file, text, tries, givenAs, reason, says, placed } as Attack
  }),
)

/** A server of the attacker, who waits for credentials. */
async function startAttacker(): Promise<AsyncDisposable & { readonly address: string; readonly connections: number }> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}

/** What the API server was asked to change for this namespace by a run, whether it did so or not. */
async function writes({ name }: TestNamespace): Promise<string[]> {
  const lines = (await readFile(testbed().auditLog, 'utf8')).split('\n')
  return lines
    .filter((line) => line.includes(name) && line.includes('"userAgent":"rollsafe/'))
    .map((line) => JSON.parse(line) as { verb: string; requestURI: string })
    .filter(({ verb, requestURI }) => !['get', 'list', 'watch'].includes(verb) && !isQuestion(requestURI))
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`)
}

/** A dry-run, or whether the login may do something. */
function isQuestion(uri: string): boolean {
  return uri.includes('dryRun=All') || uri.startsWith('/apis/authorization.k8s.io/')
}

async function attack({ text, givenAs, placed }: Attack, namespace: TestNamespace) {
  await using attacker = await startAttacker()
  await using checkout = await createCheckout({ 'k8s/config.yaml': documents([configMap('innocent', {})]) })
  const outside = await mkdtemp(join(tmpdir(), 'rollsafe-attack-'))
  try {
    const marker = join(outside, 'marker')
    // Whoever runs one of these has been had; the one outside of the checkout is what a cloud's own tool would be.
    for (const folder of [join(checkout.folder, 'bin'), join(outside, 'bin')]) {
      await mkdir(folder)
      await writeFile(join(folder, 'aws'), `#!/bin/sh\ntouch '${marker}'\n`)
      await chmod(join(folder, 'aws'), 0o755)
    }
    const link = join(outside, 'linked')
    await symlink(join(checkout.folder, 'k8s', 'config.yaml'), link)
    const secret = randomBytes(16).toString('hex')
    const own = { SERVER: '', CA: '', CERT: '', KEY: '' }
    await changedKubeconfig(({ clusters: [{ cluster }], users: [{ user }] }) => {
      own.SERVER = String(cluster['server'])
      own.CA = String(cluster['certificate-authority-data'])
      own.CERT = String(user['client-certificate-data'])
      own.KEY = String(user['client-key-data'])
    })
    const values: Readonly<Record<string, string>> = {
      ...own,
      TOKEN: secret,
      MARKER: marker,
      CHECKOUT: checkout.folder,
      LINK: link,
      ATTACKER: attacker.address,
      NAMESPACE: namespace.name,
      TEXT: 'x'.repeat(200_000),
      HUGE: 'x'.repeat(10 * 1024 * 1024),
    }
    const filled = text.replaceAll(/\$\{([A-Z]+)\}/g, (_, name: string) => values[name] ?? '')
    const inputs: Record<string, string> = { namespace: namespace.name }
    if (givenAs === 'kubeconfig') inputs['kubeconfig'] = filled
    else if (placed === 'beside the checkout') {
      await writeFile(join(checkout.folder, '..', 'attack.yaml'), filled)
      inputs['manifests'] = 'k8s\n../attack.yaml'
    } else if (placed === 'behind a link') {
      await writeFile(join(outside, 'attack.yaml'), filled)
      await symlink(join(outside, 'attack.yaml'), join(checkout.folder, 'k8s', 'attack.yaml'))
    } else await checkout.write('k8s/attack.yaml', filled)
    const env = { PATH: [join(outside, 'bin'), process.env['PATH']].join(delimiter), GITHUB_ACTIONS: 'true' }
    const result = await checkout.run(inputs, { env })
    const ran = await stat(marker).then(
      () => true,
      () => false,
    )
    return { result, ran, connections: attacker.connections, secrets: [secret, own.KEY] }
  } finally {
    await rm(outside, { recursive: true, force: true })
  }
}

describe('an attack is rejected, with its reason, and nothing is run, sent or written', () => {
  it('there are enough of them, and each says what it tries', () => {
    expect(ATTACKS.length).toBeGreaterThanOrEqual(20)
    for (const { tries, givenAs, reason, says } of ATTACKS) {
      expect([tries, reason, says]).not.toContain('')
      expect(['kubeconfig', 'manifest']).toContain(givenAs)
    }
  })

  it.each(ATTACKS)('$name', (one) =>
    withNamespace('attack', async (namespace) => {
      const before = await snapshot(namespace)
      const { result, ran, connections, secrets } = await attack(one, namespace)
      expect(result).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'rejected', changed: 'false', reason: one.reason },
      })
      expect(result.outputs['message']).toContain(one.says)
      expect(result.report.hint).not.toBe('')
      expect({ ran, connections }).toEqual({ ran: false, connections: 0 })
      expect(await writes(namespace)).toEqual([])
      expect(await snapshot(namespace)).toEqual(before)

      expect(commandsIn(result.log).filter((command) => !OWN_COMMANDS.includes(command.toLowerCase()))).toEqual([])
      // The runner takes these lines out of the log.
      const log = result.log.replaceAll(/^::add-mask::.*$/gm, '')
      const shown = JSON.stringify({ ...result, log })
      for (const secret of secrets) expect(shown).not.toContain(secret)
    }),
  )
})
