import { createInputSource } from './adapters/runner/input-source.ts'
import { createRunner } from './adapters/runner/runner.ts'
import { cancellation, createClock, keepMemorySmall } from './adapters/system.ts'
import { deploy } from './commands/deploy.ts'
import { earlyEndReport } from './commands/early-end.ts'
import { createHerald } from './commands/herald.ts'
import { openJournal } from './commands/journal.ts'
import { plan } from './commands/plan.ts'
import { whileCurrent } from './commands/previews/currency.ts'
import { publish } from './commands/publish.ts'
import { readSessionState, recover, type SessionState } from './commands/recover.ts'
import { rollback } from './commands/rollback.ts'
import type { Run } from './commands/run.ts'
import { sweep } from './commands/sweep.ts'
import { teardown } from './commands/teardown.ts'
import { SESSION_STATE } from './commands/session/session.ts'
import { compose, composeGitHub, composeNotifiers } from './compose.ts'
import { type Inputs, readInputs } from './inputs/inputs.ts'
import type { Clock, Cluster } from './ports.ts'
import { createRedactor } from './secrets/redactor.ts'
import { succeeded } from './report/outcome.ts'
import type { Report } from './report/report.ts'

/** The same program is the main step and the post step; what the main step saves tells them apart. */
const STARTED_STATE = 'started'
const DONE_STATE = 'done'

const COMMANDS = { deploy, plan, rollback, teardown, sweep }

keepMemorySmall()
const redactor = createRedactor()
const runner = createRunner(process.env, redactor)
const signals = cancellation()

try {
  process.exitCode = (await start()) ? 0 : 1
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
async function start(): Promise<boolean> {
  if (process.env[`STATE_${STARTED_STATE}`] !== 'true') {
    runner.saveState(STARTED_STATE, 'true')
    const told = await run((ready) => COMMANDS[ready.inputs.command](ready))
    // Cut short, or stopped by the loss of its lock, the main step leaves the rest to the post step.
    const isStopped = signals.ending.aborted || (told?.outcome === 'superseded' && told.changed)
    if (!isStopped) runner.saveState(DONE_STATE, 'true')
    return told === undefined || succeeded(told)
  }
  const session = readSessionState(process.env[`STATE_${SESSION_STATE}`])
  if (process.env[`STATE_${DONE_STATE}`] === 'true' || !session) return true
  const told = await run((ready) => recover(session, ready), session)
  return told === undefined || succeeded(told)
}

/** Does one command and tells everybody. A command without a report had nothing to do. */
async function run(
  command: (run: Run) => Promise<Report | undefined>,
  session?: SessionState,
): Promise<Report | undefined> {
  const clock: Clock = createClock()
  const journal = openJournal(clock)
  const known: { inputs?: Inputs; cluster?: Cluster } = {}
  let herald = createHerald([], clock)
  let report: Report | undefined
  try {
    const source = createInputSource(process.env)
    // Before anything is printed that others have written.
    runner.mask(source.input('github-token'))
    known.inputs = readInputs(source)
    const isResumed = session !== undefined
    herald = createHerald(await composeNotifiers(known.inputs, process.env, { runner, clock, isResumed }), clock)
    const announce = () => herald.begin()
    const ready = await compose(known.inputs, process.env, { runner, clock, journal, signals, announce, ...session })
    known.cluster = ready.cluster
    report = await command(ready)
  } catch (error) {
    report = earlyEndReport(error, { journal, ...known })
    if (!report) throw error
  } finally {
    await known.cluster?.close()
  }
  if (!report) return undefined
  const { inputs } = known
  const gitHub = inputs && composeGitHub(inputs, process.env)
  const github = gitHub && whileCurrent(gitHub, inputs)
  const redact = (text: string) => redactor.redact(text)
  return publish(report, { runner, clock, herald, redact, ...(github && { github }) }, inputs?.comment ?? 'auto')
}
