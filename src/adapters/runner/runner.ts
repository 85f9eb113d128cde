import { appendFile, mkdtemp, rename, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import type { Runner } from '../../ports.ts'
import { defuse } from '../../redact.ts'
import { createRedactor, type Redactor } from '../../secrets/redactor.ts'
import type { Annotation } from '../../report/annotations.ts'

/** Over this a step, GitHub drops the whole summary. */
const SUMMARY_FILE_BYTES = 1024 * 1024

/**
 * The workflow runner. `env` is the process's environment, which @actions/core reads too. Every text that is printed is
 * redacted and defused here and nowhere else. Outside GitHub, where nothing reads workflow commands, the same is told in
 * plain lines.
 */
export function createRunner(env: NodeJS.ProcessEnv, redactor: Redactor = createRedactor()): Runner {
  const onGitHub = env['GITHUB_ACTIONS'] === 'true'
  const safe = (text: string): string => defuse(redactor.redact(text))
  let reportFile: string | undefined

  return {
    info: (text) => core.info(safe(text)),

    debug(text) {
      if (onGitHub) core.debug(safe(text))
      else if (env['RUNNER_DEBUG'] === '1') core.info(`debug: ${safe(text)}`)
    },

    async group(title, body) {
      if (onGitHub) return core.group(safe(title), body)
      core.info(safe(title))
      return body()
    },

    annotate(annotation) {
      if (onGitHub) annotateOnGitHub(annotation, safe)
      else core.info(`${annotation.level}: ${safe(`${placeOf(annotation)}${annotation.title}: ${annotation.message}`)}`)
    },

    mask(secret) {
      // A short value, hidden everywhere by the runner, would garble the log and the outputs of the whole job.
      if (redactor.add(secret) && onGitHub) core.setSecret(secret)
    },

    hide: (value) => redactor.hide(value),
    spare: (words) => redactor.spare(words),
    replaceKnown: (text, by) => redactor.replaceKnown(text, by),

    output(name, value) {
      if (env['GITHUB_OUTPUT']) core.setOutput(name, value)
      else core.info(safe(`${name}=${value}`))
    },

    saveState(name, value) {
      if (env['GITHUB_STATE']) core.saveState(name, value)
    },

    async summary(markdown) {
      const file = env['GITHUB_STEP_SUMMARY']
      if (!file) return
      const used = await sizeOf(file)
      const block = `${markdown}\n`
      if (used + Buffer.byteLength(block) > SUMMARY_FILE_BYTES) {
        throw new Error(
          `the summary would have ${used + Buffer.byteLength(block)} bytes, and GitHub takes ${SUMMARY_FILE_BYTES}`,
        )
      }
      await appendFile(file, block)
    },

    async writeReport(json) {
      reportFile ??= join(await mkdtemp(join(env['RUNNER_TEMP'] || tmpdir(), 'rollsafe-')), 'report.json')
      // A reader never sees half of it, not even when it is written again.
      await writeFile(`${reportFile}.new`, json, { mode: 0o600 })
      await rename(`${reportFile}.new`, reportFile)
      return reportFile
    },
  }
}

function annotateOnGitHub(annotation: Annotation, safe: (text: string) => string): void {
  const { at } = annotation
  const properties = { title: safe(annotation.title), ...(at && { file: safe(at.file), startLine: at.line }) }
  const message = safe(annotation.message)
  switch (annotation.level) {
    case 'error':
      return core.error(message, properties)
    case 'warning':
      return core.warning(message, properties)
    case 'notice':
      return core.notice(message, properties)
  }
}

function placeOf({ at }: Annotation): string {
  return at ? `${at.file}:${at.line}: ` : ''
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch {
    return 0
  }
}
