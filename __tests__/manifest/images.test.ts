import { describe, expect, it } from '@jest/globals'
import type { ImageRequest } from '../../src/inputs/images.ts'
import { setImages } from '../../src/manifest/images.ts'
import { loadManifests } from '../../src/manifest/load.ts'
import { problemsOf } from './problems.ts'

const SHA = `sha256:${'0f'.repeat(32)}`

function request(line: string): ImageRequest {
  const equals = line.indexOf('=')
  return equals < 0
    ? { reference: line, line }
    : { name: line.slice(0, equals), reference: line.slice(equals + 1), line }
}

const load = (text: string) => loadManifests([{ path: 'a.yaml', text }])
const set = (text: string, ...lines: string[]) => setImages(load(text), lines.map(request))
const reject = (text: string, ...lines: string[]) => problemsOf(() => set(text, ...lines))

const pod = (...containers: [name: string, image: string | undefined][]) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n${containers
    .map(([name, image]) => `    - {name: ${name}${image === undefined ? '' : `, image: "${image}"`}}\n`)
    .join('')}`

const imagesAfter = (text: string, ...lines: string[]) =>
  set(text, ...lines).changes.map(({ container, to }) => `${container}=${to}`)

describe('where images are', () => {
  const SPEC = {
    initContainers: [{ name: 'init', image: 'app:1' }],
    containers: [
      { name: 'main', image: 'app:1' },
      { name: 'other', image: 'other:1' },
    ],
    ephemeralContainers: [{ name: 'debug', image: 'app:1' }],
    volumes: [
      { name: 'files', image: { reference: 'app:1' } },
      { name: 'none', emptyDir: {} },
    ],
  }
  const AFTER = {
    initContainers: [{ name: 'init', image: 'app:2' }],
    containers: [
      { name: 'main', image: 'app:2' },
      { name: 'other', image: 'other:1' },
    ],
    ephemeralContainers: [{ name: 'debug', image: 'app:2' }],
    volumes: [
      { name: 'files', image: { reference: 'app:2' } },
      { name: 'none', emptyDir: {} },
    ],
  }
  it.each([
    ['v1', 'Pod', (spec: object) => ({ spec })],
    ['v1', 'PodTemplate', (spec: object) => ({ template: { spec } })],
    ['v1', 'ReplicationController', (spec: object) => ({ spec: { template: { spec } } })],
    ['apps/v1', 'Deployment', (spec: object) => ({ spec: { template: { spec } } })],
    ['apps/v1', 'ReplicaSet', (spec: object) => ({ spec: { template: { spec } } })],
    ['apps/v1', 'StatefulSet', (spec: object) => ({ spec: { template: { spec } } })],
    ['apps/v1', 'DaemonSet', (spec: object) => ({ spec: { template: { spec } } })],
    ['batch/v1', 'Job', (spec: object) => ({ spec: { template: { spec } } })],
    ['batch/v1', 'CronJob', (spec: object) => ({ spec: { jobTemplate: { spec: { template: { spec } } } } })],
    ['argoproj.io/v1alpha1', 'Rollout', (spec: object) => ({ spec: { template: { spec } } })],
    ['serving.knative.dev/v1', 'Service', (spec: object) => ({ spec: { template: { spec } } })],
    ['serving.knative.dev/v1', 'Configuration', (spec: object) => ({ spec: { template: { spec } } })],
    ['serving.knative.dev/v1', 'Revision', (spec: object) => ({ spec })],
    ['keda.sh/v1alpha1', 'ScaledJob', (spec: object) => ({ spec: { jobTargetRef: { template: { spec } } } })],
  ])('%s %s', (apiVersion, kind, around) => {
    const head = { apiVersion, kind, metadata: { name: 'x' } }
    const { manifests, changes } = set(JSON.stringify({ ...head, ...around(SPEC) }), 'app:2')
    expect(manifests.map(({ object }) => object)).toEqual([{ ...head, ...around(AFTER) }])
    expect(changes).toEqual(
      ['init', 'main', 'debug', 'files'].map((container) => ({
        object: { apiVersion, kind, name: 'x' },
        container,
        from: 'app:1',
        to: 'app:2',
      })),
    )
  })

  it.each([
    [
      'a ConfigMap that looks like a pod',
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'x' },
        spec: { containers: [{ name: 'a', image: 'app:1' }] },
      },
    ],
    [
      'a custom kind with an image of its own',
      {
        apiVersion: 'x.io/v1',
        kind: 'App',
        metadata: { name: 'x' },
        spec: { image: 'app:1', containers: [{ image: 'app:1' }] },
      },
    ],
    [
      'a custom kind with a template of another sort',
      { apiVersion: 'x.io/v1', kind: 'App', metadata: { name: 'x' }, spec: { template: { spec: { image: 'app:1' } } } },
    ],
    [
      'an Argo Rollout that takes its pods from a Deployment',
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Rollout',
        metadata: { name: 'x' },
        spec: { workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'app' } },
      },
    ],
    [
      'a workload whose containers are no list',
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'x' },
        spec: { template: { spec: { containers: 'app:1', initContainers: [null, 'app:1'] } } },
      },
    ],
  ])('not in %s', (_, object) => {
    expect(reject(JSON.stringify(object), 'app:2')).toMatchObject([
      { code: 'ImageNotMatched', message: expect.stringContaining('none at all') },
    ])
  })
})

describe('what a request is for', () => {
  it.each([
    ['the same repository', pod(['a', 'app:1']), 'app:2', ['a=app:2']],
    ['a short name for a long one', pod(['a', 'docker.io/library/app:1']), 'app:2', ['a=app:2']],
    [
      'a long name for a short one',
      pod(['a', 'app']),
      `docker.io/library/app@${SHA}`,
      [`a=docker.io/library/app@${SHA}`],
    ],
    ['a digest for a tag', pod(['a', 'reg:5000/app:1']), `reg:5000/app:1@${SHA}`, [`a=reg:5000/app:1@${SHA}`]],
    [
      'only that port',
      pod(['a', 'reg:5000/app:1'], ['b', 'reg/app:1'], ['c', 'reg:5001/app:1']),
      'reg:5000/app:2',
      ['a=reg:5000/app:2'],
    ],
    [
      'not what begins alike',
      pod(['a', 'reg:5000/app:1'], ['b', 'reg:5000/app-two:1'], ['c', 'reg:5000/my/app:1']),
      'reg:5000/app:2',
      ['a=reg:5000/app:2'],
    ],
    ['every container with it', pod(['a', 'app:1'], ['b', 'app:0'], ['c', 'x']), 'app:2', ['a=app:2', 'b=app:2']],
    ['another repository by name', pod(['a', 'app:1'], ['b', 'x:1']), 'app=reg.io/app:2', ['a=reg.io/app:2']],
    ['a name with its registry', pod(['a', 'reg:5000/app:1'], ['b', 'app:1']), 'reg:5000/app=new:2', ['a=new:2']],
    ['a name with a tag', pod(['a', 'app:1'], ['b', 'app:0']), 'app:1=app:2', ['a=app:2']],
    ['a container by name', pod(['web', 'app:1'], ['b', 'app:1']), 'web=new:2', ['web=new:2']],
    ['the repository before the container', pod(['app', 'x:1'], ['b', 'app:1']), 'app=new:2', ['b=new:2']],
    ['a placeholder', pod(['a', 'IMAGE'], ['b', 'IMAGE_TWO']), 'IMAGE=new:2', ['a=new:2']],
    ['a container without image', pod(['web', undefined]), 'web=new:2', ['web=new:2']],
    ['a container with an empty image', pod(['web', '']), 'web=new:2', ['web=new:2']],
    ['no tag, as with kubectl', pod(['web', 'app:1']), 'web=new', ['web=new']],
  ])('%s', (_, text, line, expected) => {
    expect(imagesAfter(text, line)).toEqual(expected)
  })

  it('nothing at all without requests', () => {
    const manifests = load(pod(['a', 'app:1']))
    expect(setImages(manifests, [])).toEqual({ manifests, changes: [] })
  })

  it('leaves the manifests it was given as they were, and copies only what can change', () => {
    const manifests = load(`${pod(['a', 'app:1'])}---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n`)
    const before = structuredClone(manifests)
    const after = setImages(manifests, [request('app:2')]).manifests
    expect(manifests).toEqual(before)
    expect(after[1]).toBe(manifests[1])
    expect(after[0]?.at).toEqual(manifests[0]?.at)
  })

  it('notes an image that was put where there was none', () => {
    expect(set(pod(['web', undefined]), 'web=new:2').changes).toEqual([
      { object: { apiVersion: 'v1', kind: 'Pod', name: 'p' }, container: 'web', to: 'new:2' },
    ])
  })
})

describe('what is refused', () => {
  it('an image that matches nothing, with what there is', () => {
    const [problem] = reject(pod(['a', 'app:1'], ['b', 'reg:5000/x@' + SHA], ['c', '']), 'reg:5000/app:2')
    expect(problem?.code).toBe('ImageNotMatched')
    expect(problem?.message).toContain(
      `"reg:5000/app:2" matches no image of the manifests, which have app:1 (a), reg:5000/x@${SHA} (b), (none) (c)`,
    )
    expect(problem?.hint).toContain('name=reference')
  })

  it('the name of an image volume, which is no container', () => {
    const text = `${pod(['a', 'x:1'])}  volumes:\n    - {name: files, image: {reference: "y:1"}}\n`
    expect(reject(text, 'files=new:1')).toMatchObject([{ code: 'ImageNotMatched' }])
  })

  it('two lines for one container', () => {
    expect(reject(pod(['web', 'app:1']), 'app:2', 'web=app:3')).toMatchObject([
      { code: 'InvalidInput', message: 'images: "app:2" and "web=app:3" are both for web of Pod p' },
    ])
  })

  it('everything in one error', () => {
    expect(reject(pod(['web', 'app:1']), 'nope:1', 'app:2', 'app:3', 'none:1').map(({ code }) => code)).toEqual([
      'ImageNotMatched',
      'InvalidInput',
      'ImageNotMatched',
    ])
  })

  it('no more images than a person reads', () => {
    const containers = Array.from({ length: 100 }, (_, index): [string, string] => [`c${index}`, `x${index}:1`])
    const [problem] = reject(pod(...containers), 'app:1')
    expect(problem?.message).toContain('and 80 more')
  })
})
