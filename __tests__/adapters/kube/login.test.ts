import { describe, expect, it } from '@jest/globals'
import { createTokenFileLogin } from '../../../src/adapters/kube/login.ts'

function fileLogin() {
  const file: { token?: string; reads: number } = { token: 'one', reads: 0 }
  let now = 0
  const read = async () => {
    file.reads += 1
    return file.token
  }
  const login = createTokenFileLogin('one', { read, now: () => now })
  const token = async () => (await login.credentials()).authorization
  return { file, login, token, wait: (ms: number) => (now += ms) }
}

describe('a token in a file', () => {
  it('is read again after a minute', async () => {
    const { file, token, wait } = fileLogin()
    file.token = 'two'
    wait(59_999)
    expect(await token()).toBe('Bearer one')
    expect(file.reads).toBe(0)
    wait(1)
    expect(await token()).toBe('Bearer two')
    await token()
    expect(file.reads).toBe(1)
  })

  it('is read again when it is refused, once for all who were refused', async () => {
    const { file, login, token } = fileLogin()
    const refused = await login.credentials()
    file.token = 'two'
    expect(await login.refresh(refused)).toBe(true)
    expect(await login.refresh(refused)).toBe(true)
    expect(file.reads).toBe(1)
    expect(await token()).toBe('Bearer two')
  })

  it('is no other than before when the file has not changed', async () => {
    const { login } = fileLogin()
    expect(await login.refresh(await login.credentials())).toBe(false)
  })

  it('stays while the file cannot be read', async () => {
    const { file, token, wait } = fileLogin()
    delete file.token
    wait(60_000)
    expect(await token()).toBe('Bearer one')
  })
})
