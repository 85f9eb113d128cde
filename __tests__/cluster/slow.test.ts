import { expect, it } from '@jest/globals'
import { randomFrom } from '../fixtures/random.ts'
import { documents, IMAGE } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { withNamespace } from './testbed.ts'

const RUNS = 100
/** As many as two processors can start at a time without becoming the slow part themselves. */
const AT_ONCE = 6
const DEADLINE_SECONDS = 20
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)

it(
  `a release that is slow, but within its deadline, is never taken for a bad one: ${RUNS} runs, seed ${SEED}`,
  () =>
    withNamespace('slow', async (namespace) => {
      const random = randomFrom(SEED)
      const runs = Array.from({ length: RUNS }, (_, index) => ({
        name: `slow-${index}`,
        kind: random.of(['Deployment', 'StatefulSet', 'DaemonSet']),
        seconds: 1 + random.below(6),
        replicas: 1 + random.below(2),
      }))
      const outcomes: string[] = []
      const waiting = runs.toReversed()
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (let next = waiting.pop(); next; next = waiting.pop()) {
            const { name, kind, seconds, replicas } = next
            const labels = { app: name }
            const workload = {
              apiVersion: 'apps/v1',
              kind,
              metadata: { name },
              spec: {
                selector: { matchLabels: labels },
                ...(kind === 'Deployment' && { progressDeadlineSeconds: DEADLINE_SECONDS }),
                ...(kind !== 'DaemonSet' && { replicas }),
                ...(kind === 'StatefulSet' && { serviceName: name }),
                template: {
                  metadata: { labels },
                  spec: { containers: [{ name: 'app', image: `${IMAGE}:v1-slow-${seconds}s` }] },
                },
              },
            }
            await using checkout = await createCheckout({ 'k8s/app.yaml': documents([workload]) })
            const { outputs } = await checkout.run({
              namespace: namespace.name,
              release: name,
              'stable-for': '0s',
              timeout: '60s',
            })
            outcomes.push(
              `${outputs['outcome']}${outputs['outcome'] === 'deployed' ? '' : ` ${JSON.stringify(next)} ${outputs['message']}`}`,
            )
          }
        }),
      )
      expect(outcomes).toEqual(Array.from({ length: RUNS }, () => 'deployed'))
    }),
  400_000,
)
