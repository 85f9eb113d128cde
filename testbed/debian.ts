/**
 * Programs from the packages of this machine's own Debian or Ubuntu, for what is no Go program that can be installed as it is.
 * Nothing is installed on the machine, and no rights are needed: packages are unpacked into the cache folder.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Tell } from './build.ts'
import { run } from './run.ts'
import type { DebianPackage } from './versions.ts'

/** Folder with the programs of a package that needs no other. */
export async function unpackDebian(name: DebianPackage, tell: Tell): Promise<string> {
  const folder = await build(`debian-${name}`, [], tell, (part) => unpack(['download', name], part))
  return join(folder, 'usr', 'bin')
}

/** Folder that is as `/` would be, had the package and all that it depends on been installed on an empty machine. */
export async function unpackDebianWhole(name: DebianPackage, tell: Tell): Promise<string> {
  // Whatever this machine has: a result that is kept must not miss what another machine does not have, or no longer has.
  const empty = ['-o', 'Dir::State::status=/dev/null', '-o', 'Debug::NoLocking=true']
  const request = ['install', '--download-only', '--yes', '--no-install-recommends', ...empty, name]
  return build(`debian-${name}-whole`, [], tell, (part) => unpack(request, part))
}

async function unpack(request: readonly string[], folder: string): Promise<void> {
  const cache = join(folder, 'cache')
  const lists = join(folder, 'lists')
  const archives = join(cache, 'archives')
  mkdirSync(join(archives, 'partial'), { recursive: true })
  const ownCache = ['-o', `Dir::Cache=${cache}`]
  try {
    await apt([...request, ...ownCache], archives)
  } catch {
    // The machine has never read the lists of its packages, or they are out of date.
    mkdirSync(join(lists, 'partial'), { recursive: true })
    const own = [...ownCache, '-o', `Dir::State::lists=${lists}`]
    await apt(['update', ...own], archives)
    await apt([...request, ...own], archives)
  }
  for (const file of readdirSync(archives).filter((entry) => entry.endsWith('.deb') && !isOfTheMachine(entry)))
    await run('dpkg-deb', ['-x', join(archives, file), folder])
  for (const left of [cache, lists]) rmSync(left, { recursive: true, force: true })
}

/** The C library must be the one that the machine's own loader of programs belongs to. */
function isOfTheMachine(file: string): boolean {
  return file.startsWith('libc6_')
}

/** Both ways of asking put what they download into the folder that they are run in. */
async function apt(args: readonly string[], cwd: string): Promise<void> {
  try {
    await run('apt-get', ['-q', ...args], { cwd })
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const hint = 'These tests need a Debian or Ubuntu that reaches its packages; all others run without it.'
    throw new Error(`${text}\n${hint}`, { cause: error })
  }
}
