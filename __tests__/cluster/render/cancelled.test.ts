import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { createCheckout } from '../rollsafe.ts'
import { eventually, withNamespace } from '../testbed.ts'

it('a run that is cancelled while it renders ends its renderer, and has written nothing', () =>
  withNamespace('rendering', async (namespace) => {
    await using checkout = await createCheckout({ 'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n' })
    // Outside of the checkout, or it would not be run.
    const bin = join(checkout.folder, '..', 'bin')
    const pidFile = join(bin, 'pid')
    await mkdir(bin)
    const script = `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => 0, 1000)`
    await writeFile(join(bin, 'helm'), `#!${process.execPath}\n${script}\n`, { mode: 0o755 })

    const inputs = { namespace: namespace.name, manifests: '', 'helm-chart': 'chart' }
    const running = await checkout.start(inputs, { env: { PATH: bin } })
    const pid = await eventually(async () => {
      const text = await readFile(pidFile, 'utf8')
      expect(text).not.toBe('')
      return Number(text)
    })
    running.signal('SIGINT')
    const ended = await running.ended
    expect({ ...ended.outputs, log: ended.log }).toMatchObject({ outcome: 'cancelled', changed: 'false' })
    expect(ended.exitCode).toBe(1)
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/)
    expect(await namespace.kubectl(['get', 'secrets,leases', '-o', 'name'])).toBe('')
  }))
