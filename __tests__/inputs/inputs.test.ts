import { Buffer } from 'node:buffer'
import { describe, expect, it } from '@jest/globals'
import { readInputs, type Inputs } from '../../src/inputs/inputs.ts'
import { problemsOf } from '../manifest/problems.ts'

const KUBECONFIG = 'apiVersion: v1\nkind: Config\nclusters:\n- name: c\n'
const ENV = {
  GITHUB_REPOSITORY: 'acme/Shop.Web',
  GITHUB_WORKSPACE: '/checkout',
  GITHUB_RUN_ID: '42',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_SERVER_URL: 'https://github.example.com',
  GITHUB_SHA: 'aaaa',
  GITHUB_REF: 'refs/heads/main',
  GITHUB_ACTOR: 'octocat',
  GITHUB_EVENT_NAME: 'push',
}

type Given = Readonly<Record<string, string>>
const read = (given: Given = {}, env: Record<string, string | undefined> = ENV, event?: unknown): Inputs => {
  const all: Given = { manifests: 'k8s/', kubeconfig: KUBECONFIG, ...given }
  return readInputs({ input: (name) => all[name] ?? '', env, event })
}
const problems = (given: Given, env: Record<string, string | undefined> = ENV) => problemsOf(() => read(given, env))

describe('readInputs', () => {
  it('fills in defaults', () => {
    expect(read()).toEqual({
      command: 'deploy',
      release: 'shop-web',
      sources: { workspace: '/checkout', manifests: ['k8s/'] },
      images: [],
      fences: { clusterScoped: [] },
      kubeconfig: { content: KUBECONFIG.trim() },
      timeoutSeconds: 600,
      rollbackTimeoutSeconds: 300,
      failFast: 'safe',
      stableForSeconds: 10,
      strategy: { type: 'as-written' },
      rollback: 'auto',
      rollbackStrategy: { type: 'as-written' },
      onDelete: 'restore',
      onCancel: 'rollback',
      onUnknown: 'leave',
      prune: false,
      pruneLimit: 10,
      historyLimit: 10,
      lockTimeoutSeconds: 300,
      forceConflicts: false,
      comment: 'auto',
      logLines: 40,
      allowInsecure: false,
      run: {
        repository: 'acme/Shop.Web',
        sha: 'aaaa',
        ref: 'refs/heads/main',
        actor: 'octocat',
        event: 'push',
        url: 'https://github.example.com/acme/Shop.Web/actions/runs/42/attempts/2',
        id: 42,
        attempt: 2,
      },
    })
  })

  it('reads what is given', () => {
    const inputs = read({
      command: 'deploy',
      release: ' shop ',
      manifests: 'k8s/a.yaml\n# not this\n\n  k8s/*.yml\n',
      images: 'web=reg:5000/web:1\nghcr.io/acme/api:2@sha256:' + 'ab'.repeat(32),
      namespace: 'prod',
      context: 'arn:aws:eks:eu-west-1:1:cluster/prod',
      timeout: '1h30m',
      'rollback-timeout': '90s',
      'fail-fast': 'eager',
      'stable-for': '0s',
      strategy: 'rolling',
      'max-surge': '50%',
      'max-unavailable': '0',
      rollback: 'off',
      'force-conflicts': 'TRUE',
      'github-token': 'token',
      comment: 'failure',
      'log-lines': '0',
      'allow-insecure': 'True',
    })
    expect(inputs).toMatchObject({
      release: 'shop',
      sources: { manifests: ['k8s/a.yaml', 'k8s/*.yml'] },
      images: [
        { name: 'web', reference: 'reg:5000/web:1', line: 'web=reg:5000/web:1' },
        { reference: `ghcr.io/acme/api:2@sha256:${'ab'.repeat(32)}` },
      ],
      namespace: 'prod',
      context: 'arn:aws:eks:eu-west-1:1:cluster/prod',
      timeoutSeconds: 5400,
      rollbackTimeoutSeconds: 90,
      failFast: 'eager',
      stableForSeconds: 0,
      strategy: { type: 'rolling', maxSurge: '50%', maxUnavailable: 0 },
      rollback: 'off',
      forceConflicts: true,
      githubToken: 'token',
      comment: 'failure',
      logLines: 0,
      allowInsecure: true,
    })
    expect(inputs.images[1]).not.toHaveProperty('name')
  })

  it('takes an input that is given but blank for one that is not given', () => {
    const blank = [
      'command',
      'release',
      'images',
      'namespace',
      'context',
      'timeout',
      'rollback-timeout',
      'fail-fast',
      'stable-for',
      'strategy',
      'max-surge',
      'max-unavailable',
      'rollback',
      'force-conflicts',
      'github-token',
      'comment',
      'log-lines',
      'allow-insecure',
    ]
    expect(read(Object.fromEntries(blank.map((name) => [name, ' \n '])))).toEqual(read())
  })

  it('is frozen, all of it', () => {
    const inputs = read({ images: 'web=a:1' })
    for (const part of [
      inputs,
      inputs.sources,
      inputs.sources.manifests,
      inputs.images,
      inputs.images[0],
      inputs.kubeconfig,
      inputs.strategy,
      inputs.run,
    ]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })
})

describe('command: rollback', () => {
  it('needs no manifests, and takes a revision', () => {
    expect(read({ command: 'rollback', manifests: '', 'to-revision': '7' })).toMatchObject({
      command: 'rollback',
      sources: { manifests: [] },
      toRevision: 7,
    })
    expect(read({ command: 'rollback', manifests: '' })).not.toHaveProperty('toRevision')
  })
})

describe('rollback-strategy', () => {
  it.each<[Given, Inputs['rollbackStrategy']]>([
    [{ 'rollback-strategy': 'fast' }, { type: 'fast' }],
    [{ 'rollback-strategy': 'max-unavailable' }, { type: 'max-unavailable' }],
    [
      { 'rollback-strategy': 'max-unavailable', 'max-unavailable': '1' },
      { type: 'max-unavailable', maxUnavailable: 1 },
    ],
    [
      { 'rollback-strategy': 'max-unavailable', 'max-unavailable': '10%', strategy: 'rolling' },
      { type: 'max-unavailable', maxUnavailable: '10%' },
    ],
  ])('%j', (given, strategy) => {
    expect(read(given).rollbackStrategy).toEqual(strategy)
  })

  it('lets the strategy of the rollout as it is', () => {
    const given = { 'rollback-strategy': 'max-unavailable', 'max-unavailable': '1', strategy: 'parallel' }
    expect(read(given).strategy).toEqual({ type: 'parallel' })
  })
})

describe('problems', () => {
  it.each([
    ['command', 'clean', 'not a choice it has', 'Write deploy, plan, rollback, teardown or sweep'],
    ['to-revision', '3', 'only a rollback goes back to one', 'Set command: rollback'],
    ['rollback-strategy', 'slow', 'not a choice it has', 'Write as-written, max-unavailable or fast'],
    ['prune-limit', '-1', 'out of range', 'from 0 to 1000'],
    ['history-limit', '0', 'out of range', 'from 1 to 100'],
    ['lock-timeout', '5', 'not a duration', '5s or 5m'],
    ['on-delete', 'ignore', 'not a choice it has', 'Write restore or fail'],
    ['on-cancel', 'ignore', 'not a choice it has', 'Write rollback or leave'],
    ['on-unknown', 'ignore', 'not a choice it has', 'Write leave or rollback'],
    ['prune', 'yes', 'neither true nor false', 'Write true or false'],
    ['command', 'Deploy', '"Deploy"', 'Write deploy'],
    ['release', 'My Shop', '"My Shop"', '"my-shop" would do'],
    ['release', 's'.repeat(41), 'longer than 40', 'would do'],
    ['manifests', '# nothing', 'nothing to deploy', 'manifests: k8s/'],
    ['images', 'web=', '"web="', 'registry/path:tag'],
    ['images', '=web:1', '"=web:1"', 'registry/path:tag'],
    ['images', 'web=reg.io/web:', '"web=reg.io/web:"', 'empty variable'],
    ['images', 'we b=web:1', '"we b=web:1"', 'registry/path:tag'],
    ['images', 'Web:1', '"Web:1"', 'registry/path:tag'],
    ['images', 'reg.io/web', 'neither tag nor digest', 'reg.io/web:TAG'],
    ['images', 'reg.io/web@resolve', 'no tag to resolve', 'reg.io/web:TAG@resolve'],
    ['images', 'web=reg.io/web@resolve', 'no tag to resolve', 'web=reg.io/web:TAG@resolve'],
    ['images', `reg.io/web:1@sha256:${'0f'.repeat(32)}@resolve`, 'a digest already', '@resolve out'],
    ['images', 'web:1@latest', '"web:1@latest"', 'registry/path:tag'],
    ['images', '@resolve', '"@resolve"', 'registry/path:tag'],
    ['images', 'App.x.io:spec..image=web:1', '"spec..image" is no path', 'App.x.io:spec.containers[*].image=web:1'],
    ['images', 'App.x.io:=web:1', '"" is no path', 'App.x.io:spec.containers[*].image=web:1'],
    ['images', 'App.x.io:spec[a]=web:1', '"spec[a]" is no path', 'fields with dots'],
    ['images', 'App.x.io:spec.image=', '"App.x.io:spec.image="', 'empty variable'],
    ['images', 'App.x.io:spec.image', '"App.x.io:spec.image"', 'registry/path:tag'],
    ['namespace', 'Prod', '"Prod"', '"prod" would do'],
    ['namespace', 'n'.repeat(64), 'longer than 63', 'would do'],
    ['timeout', '10', '"10"', '10s or 10m'],
    ['timeout', '0s', 'too short', 'from 1s to 24h'],
    ['rollback-timeout', '2 days', '"2 days"', 'Write it like'],
    ['stable-for', '2h', 'too long', 'from 0s to 1h'],
    ['stable-for', '10m', 'does not fit into timeout (10m)', 'shorter'],
    ['fail-fast', 'true', '"true"', 'off, safe or eager'],
    ['strategy', 'Rolling', '"Rolling"', 'as-written, rolling, sequential, parallel or recreate'],
    ['rollback', 'false', '"false"', 'auto or off'],
    ['force-conflicts', 'yes', '"yes"', 'true or false'],
    ['comment', 'always', '"always"', 'auto, failure or never'],
    ['log-lines', '-1', '"-1"', 'from 0 to 1000'],
    ['log-lines', '1001', '"1001"', 'from 0 to 1000'],
    ['allow-insecure', '1', '"1"', 'true or false'],
    ['kubeconfig', '~/.kube/config', 'looks like a path', 'KUBECONFIG'],
    ['kubeconfig', 'apiVersion: v1', 'no clusters', 'base64 -w0'],
  ])('%s: %j', (name, value, message, hint) => {
    const [problem, ...more] = problems({ [name]: value })
    expect(more).toEqual([])
    expect(problem?.code).toBe('InvalidInput')
    expect(problem?.message).toMatch(new RegExp(`^the input ${name} `))
    expect(problem?.message).toContain(message)
    expect(problem?.message).not.toMatch(/\.$/)
    expect(problem?.hint).toContain(hint)
    expect(problem?.hint).toMatch(/\.$/)
  })

  it('are told all at once', () => {
    const given = {
      command: 'clean',
      release: 'A',
      manifests: '',
      images: 'a\nB',
      namespace: 'N',
      kubeconfig: 'x',
      timeout: 'x',
      'rollback-timeout': 'x',
      'fail-fast': 'x',
      'stable-for': 'x',
      strategy: 'x',
      'max-surge': 'x',
      'max-unavailable': 'x',
      rollback: 'x',
      'force-conflicts': 'x',
      comment: 'x',
      'log-lines': 'x',
      'allow-insecure': 'x',
    }
    const names = problems(given).map(({ message }) => message.split(' ')[2])
    expect(new Set(names)).toEqual(new Set(Object.keys(given)))
    expect(names).toHaveLength(Object.keys(given).length + 1)
  })
})

describe('kubeconfig', () => {
  const SECRET = 'hunter2-very-secret'
  const CONTENTS = [
    KUBECONFIG,
    JSON.stringify({ kind: 'Config', clusters: [] }),
    JSON.stringify({ clusters: [] }, null, 2),
    'clusters: []',
    'kind: Config\r\nclusters : []\r\n# é',
    '{kind: Config, clusters: []}',
  ]

  it.each(CONTENTS)('takes the content: %j', (content) => {
    expect(read({ kubeconfig: content }).kubeconfig).toEqual({ content: content.trim() })
  })

  it.each(CONTENTS)('takes the content in base64: %j', (content) => {
    const base64 = Buffer.from(content).toString('base64')
    const wrapped = base64.replaceAll(/(.{20})/g, '$1\n')
    for (const text of [base64, wrapped, `${base64}\n`, base64.replace(/=+$/, '')]) {
      expect(read({ kubeconfig: text }).kubeconfig).toEqual({ content })
    }
  })

  it('takes the files of KUBECONFIG when the input is not given', () => {
    const env = { ...ENV, KUBECONFIG: '/a/config::/b/config:' }
    expect(read({ kubeconfig: '' }, env).kubeconfig).toEqual({ paths: ['/a/config', '/b/config'] })
    expect(read({}, env).kubeconfig).toHaveProperty('content')
  })

  it.each([undefined, '', ':'])('never falls back on the cluster that the runner is in (KUBECONFIG=%j)', (value) => {
    const env = {
      ...ENV,
      KUBECONFIG: value,
      KUBERNETES_SERVICE_HOST: '10.0.0.1',
      KUBERNETES_SERVICE_PORT: '443',
      HOME: '/root',
    }
    expect(problems({ kubeconfig: '' }, env)).toMatchObject([
      {
        code: 'InvalidInput',
        message: expect.stringContaining('KUBECONFIG is not set'),
        hint: expect.stringContaining('never used by itself'),
      },
    ])
  })

  it.each([
    ['text', `token: ${SECRET}`],
    ['base64 of text', Buffer.from(`token: ${SECRET}`).toString('base64')],
    ['base64 of bytes', Buffer.from([0xff, 0xfe, 0, 1]).toString('base64')],
    ['a path', `/home/${SECRET}`],
    ['broken base64', `${Buffer.from(KUBECONFIG).toString('base64')}!`],
    ['base64 twice', Buffer.from(Buffer.from(KUBECONFIG).toString('base64')).toString('base64')],
  ])('never repeats what it refuses: %s', (_, kubeconfig) => {
    const told = JSON.stringify(problems({ kubeconfig, timeout: 'x', 'github-token': SECRET }))
    expect(told).toContain('kubeconfig')
    expect(told).not.toContain(SECRET)
    expect(told).not.toContain(kubeconfig)
  })
})

describe('release', () => {
  it.each([
    ['acme/shop', 'shop'],
    ['acme/Shop_API.v2', 'shop-api-v2'],
    ['acme/.github', 'github'],
    ['acme/a--b-', 'a-b'],
  ])('%s is named %s', (repository, release) => {
    expect(read({}, { ...ENV, GITHUB_REPOSITORY: repository }).release).toBe(release)
  })

  it.each([
    [undefined, 'there is no repository', 'Set release'],
    ['', 'there is no repository', 'Set release'],
    ['acme/---', 'makes no name', 'Set release'],
    [`acme/${'long-'.repeat(10)}name`, 'makes no name', `"${'long-'.repeat(8).slice(0, -1)}"`],
  ])('cannot be made of %j', (repository, message, hint) => {
    expect(problems({}, { ...ENV, GITHUB_REPOSITORY: repository })).toMatchObject([
      { code: 'InvalidInput', message: expect.stringContaining(message), hint: expect.stringContaining(hint) },
    ])
  })
})

describe('run', () => {
  const on = (event: unknown, env: Record<string, string | undefined> = ENV) =>
    read({ release: 'shop' }, env, event).run

  it.each([
    ['a pull request', { pull_request: { number: 7, head: { sha: 'bbbb' } } }, 7, 'bbbb'],
    ['a comment on a pull request', { issue: { number: 8, pull_request: { url: 'x' } } }, 8, 'aaaa'],
    ['a comment on an issue', { issue: { number: 9 } }, undefined, 'aaaa'],
    ['a push', { after: 'cccc' }, undefined, 'aaaa'],
    ['nothing', undefined, undefined, 'aaaa'],
    ['null', null, undefined, 'aaaa'],
    ['text', 'pull_request', undefined, 'aaaa'],
    ['a strange number', { pull_request: { number: '7; DROP', head: 'x' } }, undefined, 'aaaa'],
    ['a negative number', { pull_request: { number: -1, head: { sha: 1 } } }, undefined, 'aaaa'],
  ])('on %s', (_, event, pullRequest, sha) => {
    expect(on(event)?.pullRequest).toBe(pullRequest)
    expect(on(event)?.sha).toBe(sha)
  })

  it('is absent outside GitHub', () => {
    expect(on(undefined, { PWD: '/work' })).toBeUndefined()
    expect(read({ release: 'shop' }, { PWD: '/work' }).sources.workspace).toBe('/work')
  })

  it('has a URL without the server and attempt variables', () => {
    const env = { ...ENV, GITHUB_SERVER_URL: undefined, GITHUB_RUN_ATTEMPT: undefined }
    expect(on(undefined, env)?.url).toBe('https://github.com/acme/Shop.Web/actions/runs/42/attempts/1')
  })
})
