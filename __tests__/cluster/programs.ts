/** The renderers that a runner has, real ones, in a folder for the PATH. */
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildTool } from '../../testbed/build.ts'
import { testbed } from './testbed.ts'

export interface Programs extends AsyncDisposable {
  readonly folder: string
}

/** A folder with `kubectl` and `helm`. Removed with `await using`. */
export async function installPrograms(): Promise<Programs> {
  const folder = await mkdtemp(join(tmpdir(), 'rollsafe-programs-'))
  await symlink(testbed().binaries.kubectl, join(folder, 'kubectl'))
  await symlink(join(await buildTool('helm', () => undefined), 'helm'), join(folder, 'helm'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
