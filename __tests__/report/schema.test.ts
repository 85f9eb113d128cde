import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { REASON_CODES } from '../../src/errors.ts'
import { isObject } from '../../src/manifest/object.ts'
import { redactReport } from '../../src/report/redact-report.ts'
import { OUTCOMES, type Report } from '../../src/report/report.ts'
import { reportSaying } from '../fixtures/reports/hostile.ts'
import {
  deployed,
  everyOutcome,
  firstPreview,
  planned,
  plannedRefused,
  plannedUnchanged,
  preview,
  rejected,
  rollbackFailed,
  rolledBack,
} from '../fixtures/reports/reports.ts'

const hide = (secret: string) => (value: string) => value.replaceAll(secret, '***')

const text = readFileSync(new URL('../../docs/report.schema.json', import.meta.url), 'utf8')
const schema: { $defs: Record<string, { enum?: string[] }>; required: string[] } = JSON.parse(text)

let validate: ValidateFunction
let validateStrictly: ValidateFunction

beforeAll(() => {
  // Readers must bear fields that are new to them; the test must not.
  const closed: object = JSON.parse(text, (field, value: unknown) =>
    isObject(value) && isObject(value['properties']) && field !== 'ref'
      ? { ...value, unevaluatedProperties: false }
      : value,
  )
  validate = compile(schema)
  validateStrictly = compile({ ...closed, $id: 'strict' })
})

function compile(from: object): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, strictRequired: false })
  addFormats.default(ajv)
  return ajv.compile(from)
}

describe('the schema of the report', () => {
  it.each(
    [
      ...everyOutcome,
      deployed,
      firstPreview,
      preview,
      rolledBack,
      rollbackFailed,
      rejected,
      plannedUnchanged,
      plannedRefused,
      reportSaying('x'),
    ].map((report) => [report.outcome, report] as const),
  )('describes every field: %s', (_outcome, report) => {
    expect(validateStrictly(report) || validateStrictly.errors).toBe(true)
    expect(validate(report) || validate.errors).toBe(true)
  })

  it.each([
    ['an unknown outcome', { outcome: 'great' }],
    ['an unknown reason', { reason: 'Whatever' }],
    ['a missing message', { message: undefined }],
    ['a time that is none', { startedAt: 'yesterday' }],
    ['an object without a kind', { objects: [{ apiVersion: 'v1', name: 'a', change: 'created' }] }],
    ['an unknown state', { workloads: [{ ...deployed.workloads[0], state: 'fine' }] }],
    ['an unknown action', { plan: { objects: [{ ...planned.plan?.objects[0], action: 'guess' }] } }],
    ['another version', { schema: 2 }],
  ])('refuses %s', (_what, change) => {
    expect(validate(JSON.parse(JSON.stringify({ ...deployed, ...change })))).toBe(false)
  })

  it('allows fields of a later version, which the strict one finds', () => {
    expect(validate({ ...deployed, later: 1 })).toBe(true)
    expect(validateStrictly({ ...deployed, later: 1 })).toBe(false)
    expect(validateStrictly({ ...deployed, objects: [{ ...deployed.objects[0], later: 1 }] })).toBe(false)
  })

  it('has the outcomes and the reason codes of the code', () => {
    expect(schema.$defs['outcome']?.enum).toEqual([...OUTCOMES])
    expect(schema.$defs['reason']?.enum).toEqual([...REASON_CODES])
  })
})

describe('redactReport', () => {
  it('hides a secret in every text, and stays a report', () => {
    const safe = redactReport(reportSaying('x s3cr3t y'), hide('s3cr3t'))
    const names = { release: 'x s3cr3t y', namespace: 'x s3cr3t y' }
    expect(JSON.stringify({ ...safe, release: '', namespace: '' })).not.toContain('s3cr3t')
    expect(safe).toMatchObject(names)
    expect(validate(safe) || validate.errors).toBe(true)
  })

  it.each(['deployed', 'healthy', 'updated', 'follow', 'CrashLoop', 'deploy', 'update', 'recreate'])(
    'leaves our own word %s alone',
    (word) => {
      const report: Report =
        word === 'deployed' ? deployed : { ...rolledBack, ...(planned.plan && { plan: planned.plan }) }
      expect(redactReport(report, (value) => (value === word ? '***' : value))).toEqual(report)
    },
  )
})
