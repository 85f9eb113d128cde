import { createInputSource } from './adapters/runner/input-source.ts'
import { createRunner } from './adapters/runner/runner.ts'
import { createClock, keepMemorySmall } from './adapters/system.ts'
import { deploy } from './commands/deploy.ts'
import { openJournal } from './commands/journal.ts'
import { publish } from './commands/publish.ts'
import { rejectedReport } from './commands/rejected-report.ts'
import { compose, composeGitHub } from './compose.ts'
import { RejectedError } from './errors.ts'
import { type Inputs, readInputs } from './inputs/inputs.ts'
import type { Clock, Cluster } from './ports.ts'
import { createRedactor } from './redact.ts'
import { succeeded } from './report/outcome.ts'
import type { Report } from './report/report.ts'

keepMemorySmall()
const redactor = createRedactor()
const runner = createRunner(process.env, redactor)

try {
  process.exitCode = (await main(createClock())) ? 0 : 1
} catch (error) {
  // Every expected failure is a report. What arrives here is a defect, and its stack is what will mend it.
  runner.annotate({
    level: 'error',
    title: 'Rollsafe failed unexpectedly',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
  process.exitCode = 1
}

/** True when the step is to be green. */
async function main(clock: Clock): Promise<boolean> {
  const journal = openJournal(clock)
  const known: { inputs?: Inputs; cluster?: Cluster } = {}
  let report: Report
  try {
    known.inputs = readInputs(createInputSource(process.env))
    if (known.inputs.githubToken !== undefined) runner.mask(known.inputs.githubToken)
    const run = await compose(known.inputs, runner, clock, journal)
    known.cluster = run.cluster
    report = await deploy(run)
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error
    report = rejectedReport(error.problems, { journal, ...known })
  } finally {
    await known.cluster?.close()
  }
  const github = known.inputs && composeGitHub(known.inputs, process.env)
  const redact = (text: string) => redactor.redact(text)
  const told = await publish(
    report,
    { runner, clock, redact, ...(github && { github }) },
    known.inputs?.comment ?? 'auto',
  )
  return succeeded(told)
}
