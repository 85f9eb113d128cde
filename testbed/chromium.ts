/** A headless Chromium: the one of this machine, or else one that is unpacked from the packages of its Debian. */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { Tell } from './build.ts'
import { unpackDebianWhole } from './debian.ts'
import { run } from './run.ts'

const NAMES = ['chromium', 'google-chrome']
const MILLISECONDS_TO_END = 120_000

/** For any page of ours: none of them is from the network, and none of them has to wait for it. */
const ALWAYS = [
  '--headless',
  '--disable-gpu',
  '--hide-scrollbars',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Most containers allow no sandbox, and give little shared memory.
  '--no-sandbox',
  '--disable-dev-shm-usage',
]

interface Chromium {
  readonly program: string
  readonly env: Record<string, string>
}

/** Runs Chromium to its end, with a profile of its own. Returns what it printed. */
export async function runChromium(args: readonly string[], tell: Tell): Promise<string> {
  const { program, env } = await findChromium(tell)
  const profile = await mkdtemp(join(tmpdir(), 'rollsafe-chromium-'))
  try {
    const all = [...ALWAYS, `--user-data-dir=${profile}`, ...args]
    return await run(program, all, { env, milliseconds: MILLISECONDS_TO_END })
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function findChromium(tell: Tell): Promise<Chromium> {
  const program = process.env['CHROMIUM'] || onPath()
  return program === undefined ? await unpackChromium(tell) : { program, env: {} }
}

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function unpackChromium(tell: Tell): Promise<Chromium> {
  const root = await unpackDebianWhole('chromium-headless-shell', tell)
  return {
    program: join(root, 'usr', 'lib', 'chromium', 'chromium-headless-shell'),
    env: {
      LD_LIBRARY_PATH: libraryFolders(root).join(delimiter),
      // A machine without fonts takes those that came along.
      ...(!existsSync('/etc/fonts/fonts.conf') && { FONTCONFIG_SYSROOT: root }),
    },
  }
}

/** All that have a shared library: some packages keep theirs in a folder of their own, which only they would look into. */
function libraryFolders(root: string): string[] {
  const files = ['lib', 'usr/lib'].flatMap((top) => {
    const folder = join(root, top)
    return existsSync(folder)
      ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file))
      : []
  })
  return [...new Set(files.filter((file) => /\.so(?:\.|$)/.test(file)).map((file) => dirname(file)))]
}
