import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Change } from '../../src/plan/change.ts'
import { stageProblems, stagesOf } from '../../src/plan/stages.ts'

const AT = { file: 'k8s/app.yaml', line: 1 }

function object(kind: string, name: string, annotations: Record<string, string> = {}): KubeObject {
  const apiVersion = kind === 'Job' ? 'batch/v1' : kind === 'Deployment' ? 'apps/v1' : 'v1'
  return { apiVersion, kind, metadata: { name, namespace: 'shop', annotations } }
}
const wave = (number: string) => ({ 'rollsafe.dev/wave': number })
const hook = (when: string) => ({ 'rollsafe.dev/hook': when })
const create = (one: KubeObject): Change => ({ type: 'create', manifest: { at: AT, object: one } })
const unchanged = (one: KubeObject): Change => ({ type: 'unchanged', manifest: { at: AT, object: one }, live: one })
const run = (one: KubeObject): Change => ({ type: 'run', manifest: { at: AT, object: one } })

const shortly = (changes: Change[]) =>
  stagesOf(changes).map(
    ({ title, changes: inside }) =>
      `${title}: ${inside.map(({ manifest }) => manifest.object.metadata.name).join(' ')}`,
  )

describe('the stages of a release', () => {
  it.each<[string, Change[], string[]]>([
    [
      'are one without waves and hooks',
      [create(object('ConfigMap', 'settings')), create(object('Deployment', 'web'))],
      [': settings web'],
    ],
    [
      'are waves in the order of their numbers, 0 for those without',
      [
        create(object('Deployment', 'late', wave('10'))),
        create(object('Deployment', 'web')),
        create(object('Deployment', 'early', wave('-1'))),
        create(object('Deployment', 'second', wave('2'))),
      ],
      ['wave -1: early', 'wave 0: web', 'wave 2: second', 'wave 10: late'],
    ],
    [
      'let Jobs run between what pods need and what runs, and at the end',
      [
        create(object('ConfigMap', 'settings')),
        run(object('Job', 'migrate', hook('pre-deploy'))),
        create(object('Deployment', 'web')),
        run(object('Job', 'warm', hook('post-deploy'))),
      ],
      ['what pods need: settings', 'pre-deploy Jobs: migrate', 'the release: web', 'post-deploy Jobs: warm'],
    ],
    [
      'let Jobs run once, around all waves',
      [
        run(object('Job', 'migrate', hook('pre-deploy'))),
        create(object('ConfigMap', 'settings', wave('1'))),
        create(object('Deployment', 'a', wave('1'))),
        create(object('Deployment', 'b', wave('2'))),
      ],
      ['what pods need: settings', 'pre-deploy Jobs: migrate', 'wave 1: a', 'wave 2: b'],
    ],
    [
      'let Jobs run in the order of their own waves',
      [
        run(object('Job', 'migrate', { ...hook('pre-deploy'), ...wave('1') })),
        run(object('Job', 'warm', { ...hook('post-deploy'), ...wave('3') })),
        run(object('Job', 'backup', { ...hook('pre-deploy'), ...wave('-1') })),
        run(object('Job', 'check', { ...hook('pre-deploy'), ...wave('1') })),
        create(object('Deployment', 'web', wave('5'))),
        create(object('Deployment', 'late', wave('6'))),
      ],
      [
        'pre-deploy Jobs, wave -1: backup',
        'pre-deploy Jobs, wave 1: migrate check',
        'wave 5: web',
        'wave 6: late',
        'post-deploy Jobs: warm',
      ],
    ],
    [
      'have no Jobs when nothing changes',
      [unchanged(object('Deployment', 'web')), run(object('Job', 'migrate', hook('pre-deploy')))],
      [': web'],
    ],
    ['may be nothing but Jobs', [run(object('Job', 'migrate', hook('pre-deploy')))], ['pre-deploy Jobs: migrate']],
    [
      'leave no stage empty',
      [run(object('Job', 'migrate', hook('pre-deploy'))), create(object('Deployment', 'web'))],
      ['pre-deploy Jobs: migrate', 'the release: web'],
    ],
  ])('%s', (_name, changes, expected) => {
    expect(shortly(changes)).toEqual(expected)
  })
})

describe('annotations that cannot be followed', () => {
  it.each<[string, KubeObject, RegExp]>([
    [
      'a wave that is no number',
      object('Deployment', 'web', wave('first')),
      /rollsafe\.dev\/wave is "first", not a whole number/,
    ],
    ['an unknown hook', object('Job', 'migrate', hook('before')), /rollsafe\.dev\/hook is "before"/],
    [
      'a hook that would never run',
      { ...object('Job', 'migrate', hook('pre-deploy')), spec: { suspend: true } },
      /suspended/,
    ],
    ['a hook that is no Job', object('Deployment', 'web', hook('pre-deploy')), /is on a Deployment/],
  ])('%s', (_name, one, message) => {
    expect(stageProblems({ at: AT, object: one })).toMatchObject([
      { code: 'InvalidManifest', message: expect.stringMatching(message), at: AT },
    ])
  })

  it('are none of these', () => {
    expect(
      stageProblems({ at: AT, object: object('Job', 'migrate', { ...hook('post-deploy'), ...wave('-3') }) }),
    ).toEqual([])
  })
})
