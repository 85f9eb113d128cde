/** The post step under a workflow runner, of the action that is checked in as dist/. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { startFakeGitHub } from '../fakes/github.ts'
import { type TestNamespace, withNamespace } from '../cluster/testbed.ts'
import { createRepository, kubeconfigFor, push, type Repository } from './repository.ts'

const ROLLSAFE = 'rollsafe/rollsafe@v0'

/** Kills the main step's program as the kernel does when the memory is full: nothing in it can react. */
function killAction({ root }: Repository): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const commandLine = commandLineOf(pid)
    if (commandLine.includes(root) && commandLine.includes('dist/index.js')) process.kill(Number(pid), 'SIGKILL')
  }
}

/** Empty for a process that has ended meanwhile. */
function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

async function statuses({ kubectl }: TestNamespace): Promise<string[]> {
  const path = '-o=jsonpath={range .items[*]}{.metadata.labels.rollsafe\\.dev/record-status}{" "}{end}'
  return (await kubectl(['get', 'secrets', '-l', 'rollsafe.dev/record-of=shop', path])).trim().split(' ')
}

describe('the post step', () => {
  it('takes back what a main step has written that was killed, without waiting for its lock to end', () =>
    withNamespace('post', async (namespace) => {
      await using repository = await createRepository({ k8s: 'examples/k8s' })
      const gitHub = await startFakeGitHub()
      try {
        const run = async (commit: string, onPrint?: (line: string) => void) =>
          repository.run({
            workflow: 'examples/quick-start.yml',
            event: push(commit),
            secrets: { KUBECONFIG: await kubeconfigFor(namespace.name) },
            gitHub: gitHub.url,
            ...(onPrint && { onPrint }),
          })
        const good = await run('4c9d2e1-v1')
        expect(good).toMatchObject({
          exitCode: 0,
          steps: { [ROLLSAFE]: { result: 'success' }, [`Post ${ROLLSAFE}`]: { result: 'success', printed: [] } },
        })

        const killed = await run('5e0f7a3-slow-60s', (line) => {
          if (line.includes('new replicas have been updated')) killAction(repository)
        })
        expect({ jobResult: killed.jobResult, log: killed.log }).toMatchObject({ jobResult: 'failure' })
        expect(killed.steps[ROLLSAFE]?.outputs).toEqual({})
        const post = killed.steps[`Post ${ROLLSAFE}`]
        const printed = post?.printed.map(({ text }) => text).join('\n') ?? ''
        expect(printed).toContain('the main step was ended in the middle of revision 2: what it wrote is taken back')
        expect(printed).toContain('Is production safe? yes: revision 1 runs again, as before this run')
        expect(post?.summary).toContain('Cancelled: `shop`')
        const image = ['get', 'deployment', 'shop', '-o', 'jsonpath={..containers[0].image}']
        expect(await namespace.kubectl(image)).toBe('ghcr.io/acme/shop:4c9d2e1-v1')
        expect(await statuses(namespace)).toEqual(['good', 'rolled-back'])
        expect(await namespace.kubectl(['get', 'leases', '-o', 'name'])).toBe('')
      } finally {
        await gitHub.close()
      }
    }))
})
