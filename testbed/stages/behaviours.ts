/**
 * How simulated containers behave, as state diagrams: one for each word that an image tag may hold. This table is all there
 * is to know about a behaviour; the stages (pod-stages.ts) carry it into kwok's two languages, and the status template
 * (pod-status.gotpl) draws each state as a kubelet would.
 */

/**
 * The state a container is in, in the kubelet's words: `waiting.reason` or `terminated.reason`; Ready and Unready for one that
 * runs and does or does not pass its readiness probe; Created for one that never ran yet.
 */
export type State =
  | 'Created'
  | 'Ready'
  | 'Unready'
  | 'Completed'
  | 'Error'
  | 'OOMKilled'
  | 'StartError'
  | 'CrashLoopBackOff'
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'CreateContainerConfigError'
  | 'RunContainerError'

/**
 * Milliseconds; or `tag`, the seconds that follow the word in the tag (`slow-8s`); or `back-off`, the kubelet's back-off
 * of 10 s, 20 s … 5 min for the container's restart count, ten times as fast, or tests would wait for minutes.
 */
export type After = number | 'tag' | 'back-off'

export interface Move {
  readonly to: State
  readonly after: After
}

export type Diagram = Partial<Record<State, Move>>

export const WORDS = [
  'ready',
  'slow',
  'unready',
  'unpullable',
  'crash',
  'oom',
  'badconfig',
  'startfail',
  'flapping',
] as const
export type Word = (typeof WORDS)[number]

/** What restarts a container: its pod's restartPolicy; for init containers OnFailure or Never, for sidecars Always. */
export type RestartPolicy = 'Always' | 'OnFailure' | 'Never'

const START = 150
const pull: Diagram = {
  Created: { to: 'ErrImagePull', after: START },
  ErrImagePull: { to: 'ImagePullBackOff', after: 1_000 },
  ImagePullBackOff: { to: 'ErrImagePull', after: 10_000 },
}

/** A container that ends by `end` each time it is started, and is started again after a back-off. */
const loop = (end: State, restarted: boolean): Diagram => ({
  Created: { to: end, after: START },
  ...(restarted && {
    [end]: { to: 'CrashLoopBackOff', after: 300 },
    CrashLoopBackOff: { to: end, after: 'back-off' },
  }),
})

/** The programs of long-running pods and sidecars. */
const server: Record<Word, Diagram> = {
  ready: { Created: { to: 'Ready', after: START } },
  slow: { Created: { to: 'Unready', after: START }, Unready: { to: 'Ready', after: 'tag' } },
  unready: { Created: { to: 'Unready', after: START } },
  unpullable: pull,
  crash: loop('Error', true),
  oom: loop('OOMKilled', true),
  badconfig: { Created: { to: 'CreateContainerConfigError', after: START } },
  startfail: loop('RunContainerError', true),
  flapping: {
    Created: { to: 'Ready', after: START },
    Ready: { to: 'Error', after: 3_000 },
    Error: { to: 'CrashLoopBackOff', after: 300 },
    CrashLoopBackOff: { to: 'Ready', after: 'back-off' },
  },
}

/** Runs and ends well. An init container never counts as ready while it runs, so both states lead on. */
const complete = (after: After, afterInit: After): Diagram => ({
  Created: { to: 'Ready', after: START },
  Ready: { to: 'Completed', after },
  Unready: { to: 'Completed', after: afterInit },
})

/** The programs of Jobs and init containers, which come to an end; `unready` is one that never does. */
const task = (restarted: boolean): Record<Word, Diagram> => ({
  ...server,
  ready: complete(700, 300),
  slow: complete('tag', 'tag'),
  unready: { Created: { to: 'Ready', after: START } },
  crash: loop('Error', restarted),
  oom: loop('OOMKilled', restarted),
  // A container that is not started again ends terminated with StartError, without the detour through waiting.
  startfail: loop(restarted ? 'RunContainerError' : 'StartError', restarted),
  flapping: loop('Error', restarted),
})

export const BEHAVIOURS: Record<RestartPolicy, Record<Word, Diagram>> = {
  Always: server,
  OnFailure: task(true),
  Never: task(false),
}

/**
 * Matches a word in the tag of an image: after the last colon that no slash follows (`host:5000/app:v2-crash`), before a digest,
 * and on its own between dashes or dots. Go's and jq's regular expressions both read it.
 */
export const WORD_PATTERN = `:([^/@]*[-.])?(?P<word>${WORDS.join('|')})([-.][^/@]*)?(@.*)?$`
