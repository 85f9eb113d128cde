import { messageOf } from '../errors.ts'
import { fillTemplate } from '../inputs/environment.ts'
import { keyOf, type KubeObject, refOf } from '../manifest/object.ts'
import type { Change } from '../plan/change.ts'
import { succeeded } from '../report/outcome.ts'
import type { Report } from '../report/report.ts'
import { addressIn, isEntrance } from '../rollout/addresses.ts'
import { gatewaysOf } from '../rollout/route-addresses.ts'
import { mapLimited } from './concurrency.ts'
import type { Run } from './run.ts'

/** How long the release has, once it is good, to get an address and to answer there. */
const MILLISECONDS_TO_ANSWER = 30_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 4_000

/**
 * Finds where people reach a release that is good, and tries whether it answers there. The outcome stands whatever comes of it:
 * networks between this runner and the users are no part of the release. Nothing is tried unless somebody is to be sent there (a
 * preview, `deployment` or `environment-url`), and nothing is read for a release that has no way in.
 */
export async function locate(report: Report, changes: readonly Change[], run: Run): Promise<Report> {
  const { inputs, clock, signals, journal, runner } = run
  if (!succeeded(report)) return report
  const { environmentUrl, previewUrl, deployment, preview } = inputs
  const isWanted = environmentUrl !== undefined || deployment !== undefined || preview !== undefined
  const until = clock.now() + (isWanted ? MILLISECONDS_TO_ANSWER : 0)
  const filled = (template: string | undefined) => template && fromTemplate(template, report, run)
  const url = filled(environmentUrl) ?? (await discover(changes, until, run)) ?? filled(previewUrl)
  if (url === undefined) return report
  // Everybody may know it, and a Secret may hold it for the release itself.
  runner.spare([url])
  const fault = isWanted ? await probe(url, until, run) : undefined
  const isStopped = signals.cancelled.aborted
  const warning = `${url} did not answer within ${MILLISECONDS_TO_ANSWER / 1000} s: ${fault}`
  return {
    ...report,
    url,
    durationSeconds: journal.seconds(),
    ...(fault !== undefined && !isStopped && { warnings: [...report.warnings, warning] }),
  }
}

function fromTemplate(template: string, { namespace, release }: Report, { inputs: { run } }: Run): string {
  return fillTemplate(template, { namespace, release, sha: run?.sha ?? '', pr: String(run?.pullRequest ?? '') })
}

/** By what is live after the release; what this run has written may still be waiting for its address, until the time is up. */
async function discover(changes: readonly Change[], until: number, run: Run): Promise<string | undefined> {
  const { clock, signals, runner } = run
  const entrances = changes.filter(({ manifest }) => isEntrance(manifest.object))
  if (entrances.length === 0) return undefined
  const isNew = entrances.some(({ type }) => type !== 'unchanged')
  try {
    for (let pause = FIRST_PAUSE_MS; ; pause = longer(pause)) {
      const url = await readAddress(entrances, run)
      if (url !== undefined || !isNew || clock.now() + pause > until || signals.cancelled.aborted) return url
      await clock.sleep(pause, signals.cancelled)
    }
  } catch (error) {
    runner.info(`where people reach the release could not be found out: ${messageOf(error)}`)
    return undefined
  }
}

async function readAddress(entrances: readonly Change[], { cluster, signals }: Run): Promise<string | undefined> {
  const live = await mapLimited(entrances, async (change) =>
    change.type === 'unchanged' ? change.live : cluster.get(refOf(change.manifest.object), signals.cancelled),
  )
  const objects = live.filter((object) => object !== undefined)
  const refs = new Map(objects.flatMap((object) => gatewaysOf(object).map((ref) => [keyOf(ref), ref] as const)))
  // A Gateway is often another team's, and may not be ours to read.
  const gateways = await mapLimited([...refs.values()], (ref) =>
    cluster.get(ref, signals.cancelled).catch(() => undefined),
  )
  const known = gateways.flatMap((gateway): [string, KubeObject][] =>
    gateway ? [[keyOf(refOf(gateway)), gateway]] : [],
  )
  return addressIn(objects, new Map(known))
}

/** What was wrong when it was asked last; undefined when it answers. */
async function probe(url: string, until: number, { clock, signals, runner, web }: Run): Promise<string | undefined> {
  for (let pause = FIRST_PAUSE_MS; ; pause = longer(pause)) {
    const fault = await ask(url)
    if (fault === undefined) runner.info(`${url} answers`)
    if (fault === undefined || clock.now() + pause > until || signals.cancelled.aborted) return fault
    await clock.sleep(pause, signals.cancelled)
  }

  async function ask(address: string): Promise<string | undefined> {
    try {
      const status = await web.ask(address, signals.cancelled)
      return isAnswer(status) ? undefined : `it said ${status}`
    } catch (error) {
      return messageOf(error)
    }
  }
}

/** Who asks for a login is there. */
function isAnswer(status: number): boolean {
  return (status >= 200 && status < 400) || status === 401 || status === 403
}

function longer(pause: number): number {
  return Math.min(LONGEST_PAUSE_MS, pause * 1.5)
}
