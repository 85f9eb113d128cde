import { describe, expect, it } from '@jest/globals'
import { annotationsOf } from '../../src/report/annotations.ts'
import { COMMENT_CHARACTERS, markerOf, renderComment, shouldComment } from '../../src/report/comment.ts'
import { renderLog } from '../../src/report/log.ts'
import { bytesOf, fence } from '../../src/report/markdown.ts'
import { safetyOf, succeeded } from '../../src/report/outcome.ts'
import { OUTPUT_NAMES, outputsOf } from '../../src/report/outputs.ts'
import { linesOfFields } from '../../src/report/plan-lines.ts'
import type { FailureReport, Report } from '../../src/report/report.ts'
import { renderSummary, SUMMARY_BYTES } from '../../src/report/summary.ts'
import { pageOf } from '../fakes/page.ts'
import { HOSTILE } from '../fixtures/hostile.ts'
import { reportSaying } from '../fixtures/reports/hostile.ts'
import {
  deployed,
  everyOutcome,
  planned,
  plannedRefused,
  plannedUnchanged,
  preview,
  rejected,
  rollbackFailed,
  rolledBack,
} from '../fixtures/reports/reports.ts'

const MARKER = markerOf({ release: 'shop', namespace: 'shop' })

const huge = (count: number, text: string): Report => {
  const [failure] = rolledBack.failures
  if (!failure) throw new Error('the fixture has a failure')
  const [pod] = failure.pods
  if (!pod) throw new Error('the fixture has a pod')
  const bad: FailureReport = {
    ...failure,
    pods: Array.from({ length: count }, () => ({
      ...pod,
      containers: pod.containers.map((one) => ({ ...one, log: text })),
    })),
    events: Array.from({ length: count }, () => ({
      ...failure.events[0],
      at: '',
      type: text,
      reason: text,
      object: text,
      message: text,
      count: 1,
    })),
  }
  const many = <T>(items: readonly T[]): T[] => Array.from({ length: count }, () => items).flat()
  return {
    ...rollbackFailed,
    message: text,
    hint: text,
    problems: many(rejected.problems.map((problem) => ({ ...problem, message: text }))),
    objects: many(rolledBack.objects.map((object) => ({ ...object, name: text }))),
    workloads: many(rolledBack.workloads.map((workload) => ({ ...workload, name: text, message: text }))),
    timeline: many(rolledBack.timeline.map((entry) => ({ ...entry, text }))),
    failures: many([bad]),
    rollback: {
      ...rolledBack.rollback,
      outcome: 'rollback-failed',
      message: text,
      seconds: 1,
      steps: [],
      commands: many([text]),
    },
    warnings: many([text]),
    plan: {
      objects: many(planned.plan?.objects ?? []).map((object) => ({
        ...object,
        note: text,
        fields: [...object.fields, { path: text, before: text, after: `${text}\n`.repeat(3) }],
      })),
    },
  }
}

describe.each([
  ['summary', renderSummary],
  ['comment', renderComment],
])('the %s', (_view, render) => {
  it('of a good deploy tells what runs now', () => {
    const { text, tables } = pageOf(render(deployed))
    expect(text).toMatch(/^\s*✅ Deployed: shop in namespace shop/)
    expect(text).toContain('Is production safe? 🟢 Yes: revision 8 is healthy.')
    expect(text).toContain('registry.example.com:5000/shop/web:1.41.0→\u00a0registry.example.com:5000/shop/web:1.42.0')
    expect(text).toContain('2 updated, 2 unchanged')
    expect(tables[0]).toEqual([5, 5, 5])
  })

  it('of a preview says where it is, above all that has to be scrolled to', () => {
    const { text, addresses } = pageOf(render(preview))
    const start = text.slice(0, text.indexOf('Workloads'))
    expect(start).toContain('Where is it? https://shop-pr-128.preview.example.com\n')
    expect(addresses).toContain('https://shop-pr-128.preview.example.com/')
  })

  it('of a release that has no place of its own does not ask where it is', () => {
    expect(pageOf(render(deployed)).text).not.toContain('Where is it?')
  })

  it('shows an address that is none of the web without a link', () => {
    const page = pageOf(render({ ...deployed, url: 'javascript:alert(1)' }))
    expect(page.text).toContain('Where is it? javascript:alert(1)')
    expect(page.addresses.filter((address) => !address.startsWith('https://'))).toEqual([])
  })

  it('of a rejected run lists every problem with its place and what to do', () => {
    const { text } = pageOf(render(rejected))
    expect(text).toMatch(/^\s*⛔ Rejected: shop in namespace shop/)
    expect(text).toContain('nothing was written to the cluster')
    for (const problem of rejected.problems) {
      for (const fact of [problem.code, problem.message, problem.hint]) expect(text).toContain(fact)
    }
    expect(text).toContain('k8s/web.yaml:23')
    expect(render(rejected)).toContain('```yaml\nkind: Role\nrules:\n  - apiGroups: [apps]\n')
  })

  it('of a rollback tells the cause, what was done, and shows the evidence', () => {
    const page = pageOf(render(rolledBack))
    const start = page.text.slice(0, page.text.indexOf('Workloads'))
    expect(start).toMatch(/^\s*↩️ Rolled back/)
    expect(start).toContain('CrashLoop. Deployment shop/web: container web of pod web-7d4b9c6f5-x2k8p ended 3 times')
    expect(start).toContain('🟢 Yes: revision 7 runs again')
    expect(start).toContain('What was done? Revision 7 was brought back and is healthy (45 s)')
    expect(start).toContain('What to do? Read the log')
    for (const fact of [
      'web-7d4b9c6f5-x2k8p',
      'node-b-14',
      'CrashLoopBackOff',
      'fatal cannot start without a cache, exit 1',
      '0/3 nodes are available: 3 Insufficient memory.',
      'BackOff × 6',
      'k8s/web.yaml:12',
      'same pod template as revision 7',
    ]) {
      expect(page.text).toContain(fact)
    }
    expect(page.addresses).toContain('https://github.com/acme/shop/actions/runs/9137551234')
    expect(page.addresses).toContain('https://github.com/acme/shop/commit/4bc1d0e6f0a97f6f3b7f5a4d4e1a63b1f9c0a7d2')
  })

  it('of a failed rollback says so first, with the commands that finish it', () => {
    const page = pageOf(render(rollbackFailed))
    expect(page.text).toMatch(/^\s*🚨 Rollback failed/)
    expect(page.text).toContain('Is production safe? 🔴 No: the release is bad and the rollback did not finish')
    expect(page.html).toMatch(
      /<pre><code class="language-sh">kubectl --context prod -n shop rollout undo deployment\/web/,
    )
    expect(page.text.indexOf('kubectl')).toBeLessThan(page.text.indexOf('Workloads'))
    expect(page.text).toContain('exceeded quota: team')
    expect(page.text).toContain('could not be read: 403 Forbidden')
  })

  it('of a plan shows what would change first, and its fields', () => {
    const page = pageOf(render(planned))
    expect(page.text).toMatch(/^\s*📋 Planned: shop in namespace shop/)
    expect(page.text).toContain('this was a plan, and nothing was written')
    expect(page.tables[0]).toEqual(Array.from({ length: 9 }, () => 4))
    expect(page.text).toContain('at least 2 availableat most 5 in all')
    expect(page.text).toContain('2 more objects would stay as they are.')
    expect(page.text).toContain(
      `Deployment/web: 4 fields  spec.replicas
-   3
+   4

  spec.template.spec.containers[web].image
-   registry.example.com:5000/shop/web:1.41.0
+   registry.example.com:5000/shop/web:1.42.0

  spec.template.spec.containers[web].env[CACHE]
+   name: CACHE
+   value: web-cache:6379
`,
    )
    expect(page.html).toContain(
      '<code class="language-diff">  data[config.yaml]\n@@ 12 lines as before @@\n    server:\n',
    )
  })

  it('of a plan that changes nothing says so', () => {
    const { text } = pageOf(render(plannedUnchanged))
    expect(text).toContain('A deploy would change nothing: 4 objects unchanged.')
    expect(text).not.toContain('Object')
  })

  it('of a plan that would be refused shows the problems first', () => {
    const { text } = pageOf(render(plannedRefused))
    const places = [
      '⛔ Rejected',
      '1 problem to mend',
      'Plan',
      '⛔ be refused',
      '✏️ update',
      'spec.storageClassName\n-   standard',
    ]
    const found = places.map((place) => text.indexOf(place))
    expect(found).toEqual(found.toSorted((a, b) => a - b))
    expect(found).not.toContain(-1)
  })

  it.each(everyOutcome.map((report) => [report.outcome, report] as const))('has a page for %s', (_outcome, report) => {
    expect(pageOf(render(report)).text).toContain(safetyOf(report).because)
  })

  it.each(Object.entries(HOSTILE))('gives no power to: %s', (_name, text) => {
    const page = pageOf(render(reportSaying(text)))
    expect(page.elements.toSorted().filter((element) => !ELEMENTS.includes(element))).toEqual([])
    expect(page.addresses.filter((address) => !address.startsWith('https://github.com/'))).toEqual([])
    expect(page.prose).not.toMatch(/(?:^|[^\w`/])@\w|#\d|:\/\/|www\.|\bGH-\d|[\da-f]{40}|:tada:|\$/)
    for (const rows of page.tables) expect(new Set(rows).size).toBe(1)
    expect(page.html.match(/<details/g)?.length).toBe(page.html.match(/<\/details>/g)?.length)
  })
})

const ELEMENTS = 'a br code details em h2 h3 li p pre strong sub summary table tbody td th thead tr ul'.split(' ')

describe('size', () => {
  it.each([
    ['much text', huge(10, '😀 | `x` @a '.repeat(20_000))],
    ['many things', huge(300, 'ä name with | and `ticks`')],
    ['many things with much to escape', huge(100, '*_|<'.repeat(1000))],
  ])('of pages stays within GitHub’s limits: %s', (_what, report) => {
    const summary = renderSummary(report)
    const comment = renderComment(report)
    expect(bytesOf(summary)).toBeLessThanOrEqual(SUMMARY_BYTES)
    expect(comment.length).toBeLessThanOrEqual(COMMENT_CHARACTERS)
    for (const markdown of [summary, comment]) {
      const page = pageOf(markdown)
      expect(page.text).toContain('Rollback failed')
      expect(page.text).toContain('left out')
      expect(page.html.match(/<details/g)?.length).toBe(page.html.match(/<\/details>/g)?.length)
      expect(page.html.match(/<pre/g)?.length).toBe(page.html.match(/<\/pre>/g)?.length)
    }
  })

  it('of a page that cannot hold all says what is missing', () => {
    expect(renderComment(huge(300, 'x'.repeat(900)))).toMatch(
      /_Left out, because GitHub limits the size of this page: .*_/,
    )
  })
})

describe.each([
  ['summary', renderSummary],
  ['comment', renderComment],
] as const)('the first lines of the %s', (_name, render) => {
  it('lead to what was deployed in the environment', () => {
    const page = pageOf(render({ ...deployed, environment: 'production/eu @mona' }))
    expect(page.text).toContain('environment production/eu @mona')
    expect(page.addresses).toContain('https://github.com/acme/shop/deployments/production%2Feu%20%40mona')
    expect(pageOf(render(deployed)).text).not.toContain('environment ')
  })
})

describe('the comment’s marker', () => {
  it('begins the body, alone on its line', () => {
    const marker = '<!-- rollsafe release=shop namespace=shop -->'
    expect(markerOf({ release: 'shop', namespace: 'shop' })).toBe(marker)
    expect(renderComment(rolledBack).startsWith(`${marker}\n`)).toBe(true)
  })

  it.each([
    [
      ['a', 'b namespace=c'],
      ['a namespace=b', 'c'],
    ],
    [
      ['a-b', 'c'],
      ['a', 'b-c'],
    ],
    [
      ['a%20', 'b'],
      ['a ', 'b'],
    ],
  ])('differs for %j and %j', ([a = '', b = ''], [c = '', d = '']) => {
    expect(markerOf({ release: a, namespace: b })).not.toBe(markerOf({ release: c, namespace: d }))
  })

  it('is another one for each environment', () => {
    const shop = { release: 'shop', namespace: 'shop' }
    const markers = [{}, { environment: 'staging' }, { environment: 'production' }].map((more) =>
      markerOf({ ...shop, ...more }),
    )
    expect(new Set(markers).size).toBe(3)
    const body = renderComment({ ...rolledBack, environment: 'production/eu -->' })
    expect(body.split('\n')[0]).toBe(
      '<!-- rollsafe release=shop namespace=shop environment=production%2Feu%20%2D%2D%3E -->',
    )
  })

  it.each(Object.values(HOSTILE).filter((text) => text.length < 200))('cannot be ended by a name: %j', (text) => {
    const name = String.raw`[\w.!~*'()%]+`
    expect(markerOf({ release: text, namespace: text, environment: text })).toMatch(
      new RegExp(`^<!-- rollsafe release=${name} namespace=${name} environment=${name} -->$`),
    )
  })

  it('appears once, whatever the texts of the report say', () => {
    const markdown = renderComment({
      ...reportSaying(MARKER),
      release: 'shop',
      namespace: 'shop',
    })
    expect(markdown.split('\n').filter((line) => line === MARKER).length).toBeGreaterThanOrEqual(1)
    // And the line of the runs below it.
    expect(pageOf(markdown).html.match(/<!--/g)).toHaveLength(2)
  })
})

describe('shouldComment', () => {
  const noPullRequest: Report = { ...rolledBack, ...(rejected.run && { run: { ...rejected.run } }) }
  delete (noPullRequest as { run?: { pullRequest?: number } }).run?.pullRequest

  it.each([
    [deployed, 'auto', true],
    [deployed, 'failure', false],
    [rolledBack, 'auto', true],
    [rolledBack, 'failure', true],
    [{ ...rolledBack, command: 'rollback' }, 'failure', false],
    [rolledBack, 'never', false],
    [noPullRequest, 'auto', false],
  ] as const)('row %#', (report, mode, answer) => {
    expect(shouldComment(report, mode)).toBe(answer)
  })
})

describe('succeeded', () => {
  it.each(everyOutcome.map((report) => [report.outcome, report] as const))('%s', (outcome, report) => {
    expect(succeeded(report)).toBe(['deployed', 'unchanged', 'planned', 'removed'].includes(outcome))
  })
})

describe('safetyOf', () => {
  const rollback = rolledBack.rollback
  if (!rollback) throw new Error('the fixture has a rollback')
  it.each([
    [{ ...rejected, outcome: 'cancelled', changed: false }, 'yes'],
    [{ ...rejected, outcome: 'cancelled', changed: true }, 'not known'],
    [{ ...rejected, outcome: 'cancelled', changed: true, rollback }, 'yes'],
    [{ ...rejected, outcome: 'cancelled', changed: true, rollback: { ...rollback, outcome: 'rollback-failed' } }, 'no'],
    [
      {
        ...rejected,
        outcome: 'cancelled',
        changed: true,
        rollback: { ...rollback, outcome: 'rollback-failed', goesOn: true },
      },
      'not known',
    ],
    [{ ...rolledBack, rollback: { ...rollback, isDoubtful: true } }, 'not known'],
    [{ ...rejected, outcome: 'superseded', changed: false }, 'yes'],
    [{ ...rejected, outcome: 'superseded', changed: true }, 'not known'],
    [{ ...rejected, outcome: 'superseded', changed: true, rollback }, 'not known'],
    [{ ...rejected, outcome: 'unknown', changed: true }, 'not known'],
    [{ ...rejected, outcome: 'failed', changed: true }, 'no'],
  ] as const)('row %#', (report, safe) => {
    expect(safetyOf(report).safe).toBe(safe)
  })
})

describe('annotations', () => {
  it('of a good deploy: none', () => {
    expect(annotationsOf(deployed)).toEqual([])
  })

  it('of a rollback: the verdict, and the manifest of the bad workload', () => {
    expect(annotationsOf(rolledBack)).toEqual([
      {
        level: 'error',
        title: 'Rolled back: release shop',
        message: expect.stringContaining('Is production safe? yes: revision 7 runs again'),
      },
      {
        level: 'error',
        title: 'CrashLoop: Deployment/web',
        message: expect.stringContaining('exit code 1'),
        at: { file: 'k8s/web.yaml', line: 12 },
      },
    ])
  })

  it('of a rejected run: each problem where it is', () => {
    expect(annotationsOf(rejected)).toEqual([
      expect.objectContaining({ level: 'error', title: 'InvalidManifest', at: { file: 'k8s/web.yaml', line: 23 } }),
      expect.objectContaining({ level: 'error', title: 'ImageNotMatched' }),
      expect.objectContaining({ level: 'error', title: 'InvalidInput' }),
      expect.objectContaining({ level: 'error', title: 'Forbidden' }),
    ])
  })

  it('are ten a level, and the last says how many are left out', () => {
    const problems = Array.from({ length: 30 }, () => rejected.problems).flat()
    const warnings = Array.from({ length: 11 }, (_, index) => `warning ${index}`)
    const all = annotationsOf({ ...rejected, problems, warnings })
    expect(all.filter(({ level }) => level === 'error')).toHaveLength(10)
    expect(all.filter(({ level }) => level === 'warning')).toHaveLength(10)
    expect(all[9]).toMatchObject({ title: '111 more' })
    expect(all[19]).toMatchObject({ level: 'warning', title: '2 more' })
  })
})

describe('outputs', () => {
  it('are strings under their names, empty where there is nothing', () => {
    expect(outputsOf(rolledBack)).toEqual({
      outcome: 'rolled-back',
      release: 'shop',
      namespace: 'shop',
      revision: '8',
      'previous-revision': '7',
      reason: 'CrashLoop',
      message: rolledBack.message,
      changed: 'true',
      url: '',
      'duration-seconds': '96',
    })
    expect(outputsOf(rejected)).toMatchObject({
      revision: '',
      'previous-revision': '',
      changed: 'false',
      'duration-seconds': '1',
    })
    expect(Object.keys(outputsOf(deployed))).toEqual([...OUTPUT_NAMES])
    expect(outputsOf(deployed).reason).toBe('')
  })

  it('have the message in one line', () => {
    expect(outputsOf({ ...deployed, message: ' a\r\nb\u2028c\u202e ' }).message).toBe('a b c')
  })
})

describe('the closing lines of the log', () => {
  it('of a rollback', () => {
    expect(renderLog(rolledBack)).toEqual([
      '↩️ Rolled back: release shop in namespace shop, after 1 m 36 s',
      `CrashLoop: ${rolledBack.message}`,
      '  Deployment/web: restored, 3 of 3 replicas of revision 7 are available',
      '  Deployment/worker: healthy, 2 of 2 replicas are available',
      'Rollback: Revision 7 was brought back and is healthy (45 s)',
      'Is production safe? yes: revision 7 runs again, as before this run',
      `What to do: ${rolledBack.hint}`,
    ])
  })

  it('of a preview ask after that, and lead to it', () => {
    const bad = { ...preview, outcome: 'failed' as const }
    expect(renderLog(preview).at(-1)).toBe('Where is it? https://shop-pr-128.preview.example.com')
    expect(renderLog(bad)).toContain('Is the preview in order? no: the new revision is bad and was left in place')
    expect(pageOf(renderComment(preview)).text).toContain('Is the preview in order? 🟢 Yes: revision 2 is healthy.')
  })

  it('of a rejected run', () => {
    expect(renderLog(rejected)).toContain(
      '  k8s/web.yaml:23: InvalidManifest: Deployment shop/web has an unknown field spec.template.spec.containers[0].imagePullPolcy. Did you mean imagePullPolicy?',
    )
  })

  it('of a rejected run end with what is to be pasted, as it is', () => {
    expect(renderLog(rejected).join('\n')).toContain('\nkind: Role\nrules:\n  - apiGroups: [apps]\n')
  })

  it('of a failed rollback end with the commands', () => {
    expect(renderLog(rollbackFailed).slice(-3)).toEqual([
      'Finish the rollback by hand:',
      ...(rollbackFailed.rollback?.commands ?? []).map((line) => `  ${line}`),
    ])
  })
})

describe('a plan in the log', () => {
  it('has the objects that would change, and their fields', () => {
    const lines = renderLog(planned)
    const start = lines.indexOf(
      '  Deployment/web  update: Its pods are replaced; at least 2 pods available, at most 5 pods in all',
    )
    expect(lines.slice(start + 1, start + 7)).toEqual([
      '      spec.replicas',
      '    -   3',
      '    +   4',
      '      spec.template.spec.containers[web].image',
      '    -   registry.example.com:5000/shop/web:1.41.0',
      '    +   registry.example.com:5000/shop/web:1.42.0',
    ])
    expect(lines.at(-1)).toBe('  2 objects unchanged')
  })

  it('says what it leaves out', () => {
    const objects = Array.from({ length: 200 }, () => planned.plan?.objects ?? []).flat()
    const lines = renderLog({ ...planned, plan: { objects } })
    expect(lines.length).toBeLessThan(450)
    expect(lines.slice(-3)).toEqual([
      expect.stringMatching(/^ {2}\d+ more lines of the diff in the job summary$/),
      '  and 1500 more',
      '  400 objects unchanged',
    ])
  })
})

describe('the lines of a diff', () => {
  it.each(Object.entries(HOSTILE))('begin with a sign, whatever they hold: %s', (_name, text) => {
    const lines = linesOfFields([
      { path: text, before: text, after: `${text}\n${text}` },
      { path: text, lines: (['-', '+', ' ', '@'] as const).map((kind) => ({ kind, text })) },
    ])
    expect(lines.filter((line) => !/^(?:[-+ ]|@@) [^\n\r\u2028\u2029]*$/.test(line))).toEqual([])
    expect(pageOf(fence(lines.join('\n'), { language: 'diff' })).elements).toEqual(['pre', 'code'])
  })

  it('of long texts show where they differ', () => {
    const start = 'x'.repeat(1000)
    expect(linesOfFields([{ path: 'a', before: `${start}1`, after: `${start}2` }])).toEqual([
      '  a',
      `-   …${'x'.repeat(40)}1`,
      `+   …${'x'.repeat(40)}2`,
    ])
  })
})
