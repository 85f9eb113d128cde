import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { harmlessWords } from '../../../src/adapters/kube/harmless-words.ts'

describe('what a login command said when it failed', () => {
  it.each([
    ['', ''],
    ['\n \n', ''],
    ['Unable to locate credentials.\n\n', 'Unable to locate credentials.'],
    [
      'usage: x\nThe security token included in the request is expired',
      'The security token included in the request is expired',
    ],
    ['region eu-west-1 not enabled', 'region eu-west-1 not enabled'],
    [
      'An error occurred (AccessDenied) when calling the AssumeRole operation',
      'An error occurred (AccessDenied) when calling the AssumeRole operation',
    ],
    ['\u001B[31merror:\u001B[0m no such profile', 'error: no such profile'],
    ['x'.repeat(40), '***'],
    ['said '.repeat(200), `${'said '.repeat(60)}…`],
  ])('%j', (stderr, words) => expect(harmlessWords(stderr)).toBe(words))

  const hex = randomBytes(16).toString('hex')
  const base64 = randomBytes(30).toString('base64')
  it.each<[string, string]>([
    [hex, `failed with ${hex} today`],
    [base64, `failed with ${base64}`],
    ['hunter', 'password: hunter'],
    ['Hunter', 'the password Hunter is wrong'],
    ['hunter', 'PASSWORD=hunter'],
    ['hunter', '{"client_secret":"hunter"}'],
    ['123456789012', 'arn:aws:iam::123456789012:role/deploy'],
    [hex, `https://sts.example.com/?X-Amz-Signature=${hex}&a=b`],
    [hex, `"token":"${hex}"`],
    [hex, `Authorization: Bearer ${hex}`],
    ['s3cr3t-x', 'got s3cr3t-x back'],
  ])('does not hold %s of %s', (secret, stderr) => {
    expect(harmlessWords(stderr)).not.toContain(secret)
  })

  it('does not hold a token of three parts, nor an identifier', () => {
    const jwt = [1, 2, 3].map(() => randomBytes(20).toString('base64url')).join('.')
    const id = randomUUID()
    const words = harmlessWords(`refused ${jwt} for tenant ${id}`)
    expect(words).toBe('refused *** for tenant ***')
  })
})
