import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { findProgram, runProcess } from '../../src/adapters/process.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rollsafe-process-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const options = { env: {}, cwd: tmpdir(), timeoutMs: 20_000, maxOutputBytes: 1000 }
const node = (script: string, more: Partial<Parameters<typeof runProcess>[2]> = {}) =>
  runProcess(process.execPath, ['-e', script], { ...options, ...more })

/** Whether a process still runs; one that ended and was not yet waited for does not. */
async function ends(pid: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(20)) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
  }
  throw new Error(`process ${pid} still runs`)
}

describe('runProcess', () => {
  it('returns what was printed, and how it ended', async () => {
    expect(await node('console.log("out"); console.error("err"); process.exitCode = 3')).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    })
  })

  it('gives the process nothing of its own environment', async () => {
    process.env['ROLLSAFE_TEST_SECRET'] = 'seen'
    try {
      const { stdout } = await node('console.log(JSON.stringify(process.env))', { env: { ONLY: 'this' } })
      expect(JSON.parse(stdout)).toEqual({ ONLY: 'this' })
    } finally {
      delete process.env['ROLLSAFE_TEST_SECRET']
    }
  })

  it('passes arguments on as they are, without a shell', async () => {
    const hostile = '$(touch x); `id` && "quoted" \n newline'
    const { stdout } = await runProcess(process.execPath, ['-p', 'process.argv[1]', hostile], options)
    expect(stdout).toBe(`${hostile}\n`)
  })

  it('stops what prints too much', async () => {
    const { stopped } = await node('setInterval(() => console.log("x".repeat(500)), 1)')
    expect(stopped).toBe('output')
  })

  it('stops what takes too long, and all that it has started', async () => {
    const file = join(root, 'pid')
    const script = `
      const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'])
      require('node:fs').writeFileSync(${JSON.stringify(file)}, String(child.pid))
      console.log(child.pid)
      setInterval(() => 0, 1000)`
    const { stopped, stdout } = await node(script, { timeoutMs: 1500 })
    expect(stopped).toBe('timeout')
    await ends(Number(stdout))
  })

  it('is killed with its children when the signal aborts, and throws the reason', async () => {
    const controller = new AbortController()
    const reason = new Error('cancelled')
    const running = node('setInterval(() => 0, 1000)', { signal: controller.signal })
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
  })

  it('throws the error of the system when there is no such program', async () => {
    await expect(runProcess('/nowhere/kubectl', [], options)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('findProgram', () => {
  let workspace: string
  let bin: string
  beforeAll(async () => {
    workspace = join(root, 'checkout')
    bin = join(root, 'bin')
    await mkdir(join(workspace, 'bin'), { recursive: true })
    await mkdir(bin)
    for (const path of [join(bin, 'helm'), join(workspace, 'bin', 'kubectl')]) {
      await writeFile(path, '#!/bin/sh\n')
      await chmod(path, 0o755)
    }
    await writeFile(join(bin, 'plain'), 'no program')
    await symlink(join(workspace, 'bin', 'kubectl'), join(bin, 'linked'))
  })
  const find = (command: string, path = [join(workspace, 'bin'), 'bin', bin].join(':')) =>
    findProgram(command, { path, workspace })

  it('finds a program by its name', async () => expect(await find('helm')).toEqual({ path: join(bin, 'helm') }))
  it('takes an absolute path', async () => expect(await find(join(bin, 'helm'))).toEqual({ path: join(bin, 'helm') }))
  it('finds nothing that cannot be run', async () => expect(await find('plain')).toBeUndefined())
  it('finds nothing by relative entries of PATH', async () => expect(await find('helm', 'bin:.:')).toBeUndefined())
  it('does not take one from the checkout', async () =>
    expect(await find('kubectl')).toEqual({ inCheckout: join(workspace, 'bin', 'kubectl') }))
  it('does not take a link into the checkout', async () =>
    expect(await find('linked')).toEqual({ inCheckout: join(bin, 'linked') }))
})
