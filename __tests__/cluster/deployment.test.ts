import { createServer } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { type FakeGitHub, startFakeGitHub } from '../fakes/github.ts'
import { deployment, documents, IMAGE } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { withNamespace } from './testbed.ts'

const SHA = '4bc1d0e6f0a97f6f3b7f5a4d4e1a63b1f9c0a7d2'

/** A page that answers, on a port of this machine. */
async function withPage(body: (port: number) => Promise<void>): Promise<void> {
  const page = createServer((_request, response) => void response.end('hello'))
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
  const bound = page.address()
  if (bound === null || typeof bound === 'string') throw new Error('the page has no port')
  try {
    await body(bound.port)
  } finally {
    page.closeAllConnections()
    await new Promise((resolve) => page.close(resolve))
  }
}

async function withGitHub(body: (gitHub: FakeGitHub) => Promise<void>): Promise<void> {
  const gitHub = await startFakeGitHub()
  try {
    await body(gitHub)
    expect(gitHub.violations).toEqual([])
  } finally {
    await gitHub.close()
  }
}

describe('a release with a deployment on GitHub', () => {
  it('has its address there, and after it was taken back the one before is active again', () =>
    withNamespace('environment', (namespace) =>
      withPage((port) =>
        withGitHub(async (gitHub) => {
          const service = {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 'web' },
            spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port }] },
          }
          const app = documents([service, deployment('web', { deadlineSeconds: 5 })])
          await using checkout = await createCheckout({ 'k8s/app.yaml': app })
          const deploy = (tag: string, run: string, inputs: Readonly<Record<string, string>>) =>
            checkout.run(
              { namespace: namespace.name, images: `${IMAGE}:${tag}`, 'github-token': 'job-token', ...inputs },
              { env: { GITHUB_API_URL: gitHub.url, GITHUB_RUN_ID: run, GITHUB_SHA: SHA } },
            )
          const staging = { deployment: 'staging' }

          // Nobody is waited for who has not asked for it.
          const first = await deploy('v1', '1', {})
          expect(first).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed', url: '' } })
          expect(gitHub.requests).toEqual([])
          const status = { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } }
          await namespace.kubectl(['patch', 'service/web', '--subresource=status', '-p', JSON.stringify({ status })])

          const url = `http://127.0.0.1:${port}`
          const good = await deploy('v2', '2', staging)
          expect(good).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed', url }, report: { warnings: [] } })
          expect(good.log).toContain(`${url} answers`)

          const unchanged = await deploy('v2', '3', staging)
          expect(unchanged).toMatchObject({ outputs: { outcome: 'unchanged', url } })

          const bad = await deploy('v3-unpullable', '4', staging)
          expect(bad).toMatchObject({
            exitCode: 1,
            outputs: { outcome: 'rolled-back', url: '' },
            report: { warnings: [] },
          })
          expect(
            gitHub.deployments.map(({ statuses }) => statuses.map(({ state, url: at }) => `${state} ${at}`.trimEnd())),
          ).toEqual([
            ['in_progress', `success ${url}`, `success ${url}`],
            ['in_progress', 'failure'],
          ])
          expect(gitHub.deployments[1]?.statuses[1]?.description).toMatch(/^Rolled back: .*cannot pull the image/)
        }),
      ),
    ))
})
