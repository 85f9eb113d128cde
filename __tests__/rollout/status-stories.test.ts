/** Objects as a real API server sent them, state by state, and what must be said of each. fixtures/states/README.md tells more. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { isObject, type KubeObject } from '../../src/manifest/object.ts'
import { statusWhenGone } from '../../src/rollout/jobs.ts'
import type { Expectation, Status } from '../../src/rollout/state.ts'
import { isFollowed, statusOf } from '../../src/rollout/status.ts'

interface Step {
  readonly expectation: Expectation
  readonly status: Status
  /** When it was deleted in this state. */
  readonly gone?: Status
}

interface Story {
  readonly story: string
  readonly steps: Readonly<Record<string, Step>>
}

const STATES = join(import.meta.dirname, '../fixtures/states')
const folders = readdirSync(STATES, { withFileTypes: true }).filter((entry) => entry.isDirectory())
const read = (folder: string, file: string): unknown => JSON.parse(readFileSync(join(STATES, folder, file), 'utf8'))

it('has stories of all kinds that take time, and of most others', () => {
  const kinds = folders.map(({ name }) => (read(name, stepFiles(name)[0] ?? '') as KubeObject).kind)
  expect([...new Set(kinds)].toSorted()).toEqual([
    'APIService',
    'Cart',
    'CronJob',
    'CustomResourceDefinition',
    'DaemonSet',
    'Deployment',
    'HorizontalPodAutoscaler',
    'Ingress',
    'Job',
    'Namespace',
    'PersistentVolumeClaim',
    'Pod',
    'PodDisruptionBudget',
    'ReplicaSet',
    'Service',
    'StatefulSet',
  ])
})

describe.each(folders.map(({ name }) => [name, read(name, 'expected.json') as Story] as const))(
  '%s',
  (name, expected) => {
    it('expects something of each recorded state', () => {
      expect(Object.keys(expected.steps)).toEqual(stepFiles(name))
    })

    it.each(Object.entries(expected.steps))('%s', (file, { expectation, status, gone }) => {
      const object = read(name, file) as KubeObject
      expect(isObject(object.metadata) && object.metadata.managedFields).toBeUndefined()
      expect(statusOf(object, expectation)).toEqual(status)
      expect(gone && statusWhenGone(object, true)).toEqual(gone)
      expect(isFollowed(object) || status.state !== 'progressing').toBe(true)
      expect(status.message).toMatch(/^\S[^\n]*[^.\s]$/)
    })
  },
)

function stepFiles(folder: string): string[] {
  return readdirSync(join(STATES, folder)).filter((file) => /^\d\d-/.test(file))
}
