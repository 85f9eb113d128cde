/**
 * kwok's Stages for pods: which pods, after which delay, and what then. A Stage with the same selector as another would be
 * chosen at random, so each state of behaviours.ts belongs to exactly one of them.
 * https://kwok.sigs.k8s.io/docs/user/stages-configuration/
 */
import { readFileSync } from 'node:fs'
import { BEHAVIOURS, WORD_PATTERN, type State } from './behaviours.ts'

/** A KWOK object, as plain JSON. */
export type KwokObject = { readonly apiVersion: string; readonly kind: string } & Record<string, unknown>

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8')

const JQ = [
  `def behaviours: ${JSON.stringify(BEHAVIOURS)};`,
  `def pattern: ${JSON.stringify(WORD_PATTERN)};`,
  read('pod-turn.jq'),
].join('\n')

const TEMPLATES = [
  `{{- $behaviours := fromJson \`${JSON.stringify(BEHAVIOURS)}\` -}}`,
  `{{- $pattern := \`${WORD_PATTERN}\` -}}`,
  read('container.gotpl'),
].join('\n')

const STATUS = { patch: { subresource: 'status', root: 'status', template: TEMPLATES + read('pod-status.gotpl') } }

interface KubeletEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  /** With {container}, {image}, {pod}, {says} and the errors of container.gotpl. */
  readonly message: string
  /** Seconds between repetitions; 0 where the container's restarts are the repetitions. */
  readonly every: number
}

/** What the kubelet writes when a container enters a state (pkg/kubelet/images/image_manager.go, kuberuntime, prober). */
const EVENTS: Partial<Record<State, readonly KubeletEvent[]>> = {
  Unready: [
    {
      type: 'Warning',
      reason: 'Unhealthy',
      message: 'Readiness probe failed: HTTP probe failed with statuscode: 503{says}',
      every: 0,
    },
  ],
  ErrImagePull: [
    { type: 'Normal', reason: 'Pulling', message: 'Pulling image {image}', every: 11 },
    { type: 'Warning', reason: 'Failed', message: 'Failed to pull image {image}: {pullError}', every: 11 },
    { type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull', every: 11 },
  ],
  ImagePullBackOff: [
    { type: 'Normal', reason: 'BackOff', message: 'Back-off pulling image {image}', every: 11 },
    { type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff', every: 11 },
  ],
  CrashLoopBackOff: [
    {
      type: 'Warning',
      reason: 'BackOff',
      message: 'Back-off restarting failed container {container} in pod {pod}',
      every: 0,
    },
  ],
  CreateContainerConfigError: [{ type: 'Warning', reason: 'Failed', message: 'Error: {configError}', every: 0 }],
  RunContainerError: [{ type: 'Warning', reason: 'Failed', message: 'Error: {startError}', every: 0 }],
  StartError: [{ type: 'Warning', reason: 'Failed', message: 'Error: {startError}', every: 0 }],
}

/** States that are entered without an Event. */
const QUIET: readonly State[] = ['Ready', 'Completed', 'Error', 'OOMKilled']

const event = ({ type, reason, message, every }: KubeletEvent) => ({
  apply: {
    type: 'merge',
    template: [
      `{{- $type := "${type}" -}}{{- $reason := "${reason}" -}}{{- $per := ${every} -}}{{- $message := "${message}" -}}`,
      TEMPLATES,
      read('pod-event.gotpl'),
    ].join('\n'),
  },
})

const logs = (folder: string) => ({
  apply: {
    type: 'merge',
    template: `{{- $folder := ${JSON.stringify(folder)} -}}\n${TEMPLATES}\n${read('pod-logs.gotpl')}`,
  },
})

const stage = (name: string, matchExpressions: object[], delay: object, steps: object[]): KwokObject => ({
  apiVersion: 'kwok.x-k8s.io/v1alpha1',
  kind: 'Stage',
  metadata: { name },
  spec: {
    resourceRef: { apiGroup: 'v1', kind: 'Pod' },
    selector: { matchExpressions: matchExpressions.map((jq) => ({ jq })) },
    delay,
    steps,
  },
})

const alive = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' }
const misbehaving = (operator: 'In' | 'NotIn') => ({
  key: `${JQ} [(.spec.initContainers // [])[], .spec.containers[] | word] | any(. != "ready")`,
  operator,
  values: ['true'],
})

const enter = (name: string, states: readonly State[]): KwokObject =>
  stage(
    name,
    [alive, { key: '.status.startTime', operator: 'Exists' }, { key: `${JQ} next`, operator: 'In', values: states }],
    { durationFrom: { jq: { expression: `${JQ} delay` } } },
    [STATUS, ...states.flatMap((state) => EVENTS[state] ?? []).map(event)],
  )

/** All Stages for pods. `logFolder` holds the files that are served as logs. */
export function podStages(logFolder: string): KwokObject[] {
  const fresh = [alive, { key: '.status.startTime', operator: 'DoesNotExist' }]
  const at = (durationMilliseconds: number) => ({ durationMilliseconds })
  return [
    stage('pod-accepted', [...fresh, misbehaving('NotIn')], at(50), [STATUS]),
    stage('pod-accepted-with-logs', [...fresh, misbehaving('In')], at(50), [STATUS, logs(logFolder)]),
    enter('pod-moves', QUIET),
    ...(Object.keys(EVENTS) as State[]).map((state) => enter(`pod-${state.toLowerCase()}`, [state])),
    stage('pod-deleted', [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }], at(300), [
      STATUS,
      { delete: true },
    ]),
  ]
}
