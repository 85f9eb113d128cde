import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { startTestbed } from '../../testbed/testbed.ts'
import { createNamespace, eventually, testbed, withNamespace, type TestNamespace } from './testbed.ts'

interface Pod {
  readonly metadata: { readonly deletionTimestamp?: string }
  readonly status: {
    readonly phase: string
    readonly podIP: string
    readonly startTime: string
    readonly conditions: readonly {
      readonly type: string
      readonly status: string
      readonly lastTransitionTime: string
    }[]
    readonly containerStatuses: readonly ContainerStatus[]
  }
}

interface ContainerStatus {
  readonly ready: boolean
  readonly restartCount: number
}

const pod = (name: string, images: { app: string; init?: string }) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    ...(images.init && { initContainers: [{ name: 'migrate', image: images.init }] }),
    containers: [{ name: 'app', image: images.app, envFrom: [{ configMapRef: { name: 'settings' } }] }],
  },
})

const job = (name: string, image: string) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'app', image }] } } },
})

const list = (...items: object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
const image = (tag: string) => `registry.example:5000/app:v2-${tag}`
const waiting = (reason: string, message: string) => ({
  waiting: { reason, message: expect.stringContaining(message) },
})
const ended = (exitCode: number, reason: string) => ({ terminated: { exitCode, reason } })
const readyIs = (status: string) => expect.arrayContaining([expect.objectContaining({ type: 'Ready', status })])

/** Tag, phase, status of the Ready condition, and the container's status. */
const behaviours: [tag: string, phase: string, ready: string, container: object][] = [
  ['ready', 'Running', 'True', { ready: true, started: true, restartCount: 0, state: { running: {} } }],
  ['slow-2s', 'Running', 'True', { ready: true, restartCount: 0 }],
  ['unready', 'Running', 'False', { ready: false, started: true, restartCount: 0, state: { running: {} } }],
  [
    'unpullable',
    'Pending',
    'False',
    { restartCount: 0, state: waiting('ImagePullBackOff', `failed to resolve reference "${image('unpullable')}"`) },
  ],
  [
    'crash',
    'Running',
    'False',
    { state: waiting('CrashLoopBackOff', 'restarting failed container=app'), lastState: ended(1, 'Error') },
  ],
  ['oom', 'Running', 'False', { state: waiting('CrashLoopBackOff', 'back-off'), lastState: ended(137, 'OOMKilled') }],
  ['badconfig', 'Pending', 'False', { state: waiting('CreateContainerConfigError', 'configmap "settings" not found') }],
  [
    'startfail',
    'Running',
    'False',
    { state: waiting('CrashLoopBackOff', 'back-off'), lastState: ended(128, 'StartError') },
  ],
  ['flapping', 'Running', 'True', { ready: true, lastState: ended(1, 'Error') }],
]

describe('the testbed', () => {
  let namespace: TestNamespace

  beforeAll(async () => {
    namespace = await createNamespace('testbed')
    const pods = behaviours.map(([tag]) => pod(tag, { app: image(tag) }))
    const inits = ['crash', 'unpullable'].map((tag) => pod(`init-${tag}`, { app: image('ready'), init: image(tag) }))
    await namespace.kubectl(['create', '-f', '-'], list(...pods, ...inits))
  })

  afterAll(() => namespace.remove())

  it.each(behaviours)('shows a pod that is %s', async (tag, phase, ready, container) => {
    await eventually(async () => {
      expect(await namespace.get<Pod>('pod', tag)).toMatchObject({
        status: {
          phase,
          conditions: readyIs(ready),
          containerStatuses: [{ name: 'app', image: image(tag), ...container }],
        },
      })
    })
  })

  it('makes a slow pod ready after the time its tag names', async () => {
    const { status } = await eventually(async () => {
      const slow = await namespace.get<Pod>('pod', 'slow-2s')
      expect(slow.status.conditions).toEqual(readyIs('True'))
      return slow
    })
    const readySince = status.conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? ''
    expect(Date.parse(readySince) - Date.parse(status.startTime)).toBeGreaterThanOrEqual(1_000)
  })

  it.each(['crash', 'flapping'])('restarts a container that is %s again and again', async (tag) => {
    await eventually(async () => {
      const { status } = await namespace.get<Pod>('pod', tag)
      expect(status.containerStatuses[0]?.restartCount).toBeGreaterThanOrEqual(3)
    })
  })

  it.each([
    ['crash', { ready: false, lastState: ended(1, 'Error') }],
    ['unpullable', { ready: false, state: waiting('ImagePullBackOff', 'not found') }],
  ])('keeps a pod waiting whose init container is %s', async (tag, status) => {
    await eventually(async () => {
      expect(await namespace.get<Pod>('pod', `init-${tag}`)).toMatchObject({
        status: {
          phase: 'Pending',
          initContainerStatuses: [status],
          containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
        },
      })
    })
  })

  it('writes the Events of a kubelet', async () => {
    await eventually(async () => {
      const events = await namespace.kubectl([
        'get',
        'events',
        '-o',
        'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
      ])
      expect(events).toContain(`Failed: Failed to pull image "${image('unpullable')}": rpc error: code = NotFound`)
      expect(events).toContain('BackOff: Back-off restarting failed container app in pod crash_')
      expect(events).toContain('Failed: Error: configmap "settings" not found')
      expect(events).toContain('Unhealthy: Readiness probe failed')
    })
  })

  it('serves logs, of the previous run too, and none of a container that never ran', async () => {
    const logs = (name: string, ...args: string[]) => namespace.kubectl(['logs', name, '--container=app', ...args])
    await eventually(async () => expect(await logs('ready')).toContain('listening on :8080'))
    await eventually(async () =>
      expect(await logs('crash', '--previous', '--tail=1')).toMatch(/^fatal: .*exiting with code 1\n$/),
    )
    await expect(logs('unpullable')).rejects.toThrow('BadRequest')
  })

  it('leaves a pod that fits no node to the scheduler', async () => {
    const homeless = pod('homeless', { app: image('ready') })
    const spec = { ...homeless.spec, nodeSelector: { disk: 'ssd' } }
    await namespace.kubectl(['create', '-f', '-'], JSON.stringify({ ...homeless, spec }))
    await eventually(async () => {
      expect(await namespace.get<Pod>('pod', 'homeless')).toMatchObject({
        status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
      })
    })
  })

  it('completes Jobs, and fails those that crash', async () => {
    await namespace.kubectl(['create', '-f', '-'], list(job('good', image('ready')), job('bad', image('crash'))))
    await eventually(async () => {
      expect(await namespace.get('job', 'good')).toMatchObject({ status: { succeeded: 1 } })
      expect(await namespace.get('job', 'bad')).toMatchObject({ status: { failed: 1 } })
    })
  })

  it('runs a DaemonSet on every node', async () => {
    const labels = { app: 'agent' }
    const spec = {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: image('ready') }] } },
    }
    const agent = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'agent' }, spec }
    await namespace.kubectl(['create', '-f', '-'], JSON.stringify(agent))
    await namespace.kubectl(['rollout', 'status', 'daemonset/agent', '--timeout=30s'])
    expect(await namespace.get('daemonset', 'agent')).toMatchObject({ status: { numberReady: 3 } })
  })

  it('ends pods before they are gone', async () => {
    await namespace.kubectl(['create', '-f', '-'], list(pod('doomed', { app: image('ready') })))
    await namespace.kubectl(['wait', '--for=condition=Ready', 'pod/doomed', '--timeout=30s'])
    await namespace.kubectl(['delete', 'pod', 'doomed', '--wait=false'])
    expect((await namespace.get<Pod>('pod', 'doomed')).metadata.deletionTimestamp).toBeDefined()
    await namespace.kubectl(['wait', '--for=delete', 'pod/doomed', '--timeout=30s'])
  })

  it('logs every request with its User-Agent', async () => {
    await eventually(async () => {
      const requests = readFileSync(testbed().auditLog, 'utf8').split('\n')
      const created = requests.find((line) => line.includes(namespace.name) && line.includes('"verb":"create"'))
      expect(JSON.parse(created ?? '{}')).toMatchObject({
        userAgent: expect.stringMatching(/^kubectl\//),
        level: 'Metadata',
      })
    })
  })

  it('removes a namespace after its test', async () => {
    const name = await withNamespace('brief', async (brief) => brief.name)
    const find = () => testbed().kubectl(['get', 'namespace', name])
    await eventually(() => expect(find()).rejects.toThrow('NotFound'), 60)
  })
})

describe('a second testbed', () => {
  it('runs beside the first, survives its API server, and leaves nothing behind', async () => {
    const second = await startTestbed({ nodes: 1 })
    try {
      const namespace = await createNamespace('second', second)
      await namespace.kubectl(['create', '-f', '-'], list(pod('ready', { app: image('ready') })))
      await namespace.kubectl(['wait', '--for=condition=Ready', 'pod/ready', '--timeout=30s'])

      await second.stopApiServer()
      await expect(namespace.get('pod', 'ready')).rejects.toThrow('refused')
      await second.startApiServer()
      expect(await namespace.get('pod', 'ready')).toMatchObject({ status: { phase: 'Running' } })
    } finally {
      await second.stop()
    }
    expect(existsSync(dirname(second.kubeconfig))).toBe(false)
    await expect(second.kubectl(['get', 'nodes'])).rejects.toThrow('ended with')
  })
})
