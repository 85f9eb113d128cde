import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { parseNotify } from '../../src/inputs/notify.ts'
import { readYaml } from '../../src/manifest/yaml.ts'

const HOOK = `https://hooks.example.com/services/${randomBytes(12).toString('hex')}`
const SECRET = randomBytes(20).toString('hex')
const env = {
  HOOK,
  SECRET,
  SHORT: 'short',
  EMPTY: '',
  GITHUB_TOKEN: SECRET,
  INPUT_KUBECONFIG: SECRET,
  INSECURE: HOOK.replace('https', 'http'),
}
const read = (text: string) => parseNotify(readYaml({ path: 'notify.yml', text }), 'notify.yml', env)

describe('the file that says who is told', () => {
  it('is read into targets, with the secrets apart', () => {
    const { targets, secrets, problems } = read(`
slack: [{url-from: HOOK, when: failure}]
grafana:
  - url: https://grafana.example.com
    token-from: SECRET
    tags: [checkout, eu]
    dashboard-uid: cIBgcSjkk
    panel-id: 2
pushgateway:
  - url: http://127.0.0.1:9091
  - url: http://pushgateway.monitoring:9091
    allow-insecure: true
    job: deploys
    cluster: eu-1
    username-from: HOOK
    password-from: SECRET
webhook:
  - url-from: HOOK
    secret-from: SECRET
    allow-link-local: true
`)
    expect(problems).toEqual([])
    const common = { when: 'always', allowLinkLocal: false }
    expect(targets).toEqual([
      { kind: 'slack', url: new URL(HOOK), name: 'Slack (HOOK)', when: 'failure', allowLinkLocal: false },
      {
        kind: 'grafana',
        ...common,
        url: new URL('https://grafana.example.com'),
        name: 'Grafana at grafana.example.com',
        token: SECRET,
        tags: ['checkout', 'eu'],
        dashboardUid: 'cIBgcSjkk',
        panelId: 2,
      },
      {
        kind: 'pushgateway',
        ...common,
        url: new URL('http://127.0.0.1:9091'),
        name: 'The Pushgateway at 127.0.0.1:9091',
        job: 'rollsafe',
      },
      {
        kind: 'pushgateway',
        ...common,
        url: new URL('http://pushgateway.monitoring:9091'),
        name: 'The Pushgateway at pushgateway.monitoring:9091',
        job: 'deploys',
        cluster: 'eu-1',
        login: { user: HOOK, password: SECRET },
      },
      {
        kind: 'webhook',
        url: new URL(HOOK),
        name: 'The webhook (HOOK)',
        when: 'always',
        allowLinkLocal: true,
        secret: SECRET,
      },
    ])
    expect(new Set(secrets)).toEqual(new Set([HOOK, SECRET, new URL(HOOK).pathname]))
  })

  it('tells all that is wrong with it, at its line, and never a secret', () => {
    const { problems, secrets } = read(`
slack:
  - url: ${HOOK}
  - url-from: ${HOOK}
  - url-from: EMPTY
    colour: red
  - url-from: INSECURE
teams: []
grafana:
  url: https://grafana.example.com
pushgateway:
  - url: http://pushgateway.monitoring:9091
  - url: https://mona:pass@push.example.com
    job: 3
  - ftp://push.example.com
webhook:
  - url: https://example.com
    secret-from: SHORT
  - url: https://example.com
    secret-from: GITHUB_TOKEN
  - url: https://example.com
    secret-from: INPUT_KUBECONFIG
    when: sometimes
    allow-link-local: "yes"
  - secret-from: SECRET
`)
    const prefix = 'the input notify: notify.yml:'
    expect(problems.map(({ message }) => message.replace(prefix, ''))).toEqual([
      '3: entry 1 of slack has a url, which would be a secret in the open',
      '3: entry 1 of slack has no url-from',
      '4: entry 2 of slack has a url-from that is no name of a variable',
      '5: entry 3 of slack takes its url from EMPTY, which is not set',
      '6: entry 3 of slack has the field "colour", which does not exist',
      '7: entry 4 of slack has an address in url-from without TLS',
      '8: "teams" is nobody that can be told',
      '9: grafana is no list',
      '12: entry 1 of pushgateway has an address in url without TLS',
      '13: entry 2 of pushgateway has a login in the address in url',
      '14: entry 2 of pushgateway has a job that is no text',
      '15: entry 3 of pushgateway is no mapping',
      '18: entry 1 of webhook takes a secret of fewer than 16 characters',
      '20: entry 2 of webhook names the variable GITHUB_TOKEN in secret-from, which belongs to the runner',
      '22: entry 3 of webhook names the variable INPUT_KUBECONFIG in secret-from, which belongs to the runner',
      '23: entry 3 of webhook has a value of when that it does not know',
      '24: entry 3 of webhook has allow-link-local set to neither true nor false',
      '25: entry 4 of webhook has no url',
    ])
    for (const { code, message, hint, at } of problems) {
      expect(code).toBe('InvalidInput')
      expect(at?.file).toBe('notify.yml')
      for (const secret of secrets) expect(message + hint).not.toContain(secret)
      expect(message + hint).not.toContain(HOOK)
    }
  })

  it.each(['[]', 'slack', '- slack'])('is a mapping: %s', (text) => {
    expect(read(text).problems).toMatchObject([{ message: expect.stringMatching(/there is no mapping at the top/) }])
  })

  it('is one document', () => {
    expect(read('slack: []\n---\nslack: []\n').problems).toMatchObject([
      { message: expect.stringMatching(/more than one document/) },
    ])
  })
})
