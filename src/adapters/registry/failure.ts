import type { RejectedError } from '../../errors.ts'
import type { Credentials } from './docker-config.ts'
import type { Answer } from './http.ts'
import { refusal } from './refusal.ts'

/** Why a registry did not give the manifest of an image, in words that somebody can act on. `credentials` are those it was asked with. */
export function failureOf(answer: Answer, registry: string, credentials: Credentials | undefined): RejectedError {
  const login = loginHint(registry, credentials)
  switch (answer.status) {
    case 404:
      return refusal(
        `${registry} has no such image`,
        `Push the image before this step, and check its name and tag.${credentials ? '' : ` If it is private: ${login}`}`,
      )
    case 401:
    case 403: {
      const who = credentials && credentials.type !== 'helper' ? 'the login of this runner' : 'anybody without a login'
      return refusal(`${registry} does not let ${who} read it (${answer.status})`, login)
    }
    default: {
      const text = answer.body.toString('utf8').replace(/\s+/g, ' ').trim().slice(0, 200)
      return refusal(
        `${registry} answered ${answer.status}${text === '' ? '' : `: ${text}`}`,
        'Run this again; if it stays so, ask who runs the registry.',
      )
    }
  }
}

function loginHint(registry: string, credentials: Credentials | undefined): string {
  const action = `docker/login-action with registry: ${registry}`
  switch (credentials?.type) {
    case 'helper':
      return `Its login is kept by the program ${credentials.program}, which Rollsafe does not run. Write a login into config.json, on a runner without that program, by ${action}.`
    case 'password':
    case 'identity':
      return `Check that the login is still good and may pull: renew it by ${action} before this step.`
    case undefined:
      return `Log in before this step, by ${action}. Some registries answer so for an image that is not there.`
  }
}
