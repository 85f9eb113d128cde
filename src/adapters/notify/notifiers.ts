import { open, realpath } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { type Problem, RejectedError, rejectIfAny } from '../../errors.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import { type NotifyTarget, parseNotify } from '../../inputs/notify.ts'
import type { Environment } from '../../inputs/run.ts'
import { readYaml, type YamlDocument } from '../../manifest/yaml.ts'
import type { Clock, Notifier, Runner, SourceFile } from '../../ports.ts'
import { succeeded } from '../../report/outcome.ts'
import { findInCheckout } from '../render/checkout-path.ts'
import { createGrafana } from './grafana.ts'
import { createMessenger } from './http.ts'
import { createPushgateway } from './pushgateway.ts'
import { createSlack } from './slack.ts'
import { createWebhook } from './webhook.ts'

export interface NotifierOptions {
  readonly env: Environment
  readonly runner: Pick<Runner, 'mask'>
  readonly clock: Clock
}

const MOST_BYTES = 64 * 1024

/** Those whom the file of the input `notify` names. What is secret is masked before anything is told. Throws RejectedError. */
export async function openNotifiers(
  { notify, sources, release, command }: Inputs,
  { env, runner, clock }: NotifierOptions,
): Promise<Notifier[]> {
  // A plan is no release: it has its own views.
  if (notify === undefined || command === 'plan') return []
  const file = await readFile(sources.workspace, notify)
  const { targets, secrets, problems } = parseNotify(documentsOf(file), file.path, env)
  for (const secret of secrets) runner.mask(secret)
  rejectIfAny(problems)
  return targets.map((target) => onOccasion(target, notifierFor(target, { env, clock, release })))
}

function notifierFor(
  target: NotifyTarget,
  { env, clock, release }: { readonly env: Environment; readonly clock: Clock; readonly release: string },
): Notifier {
  const messenger = createMessenger({ env, allowLinkLocal: target.allowLinkLocal })
  switch (target.kind) {
    case 'slack':
      return createSlack(target, messenger)
    case 'grafana':
      return createGrafana(target, { messenger, clock, release })
    case 'pushgateway':
      return createPushgateway(target, messenger)
    case 'webhook':
      return createWebhook(target, messenger, clock)
  }
}

/** Tells the end only when it is one that the target wants to hear of. */
function onOccasion({ when }: NotifyTarget, notifier: Notifier): Notifier {
  if (when === 'always') return notifier
  return {
    ...notifier,
    async end(report, signal) {
      if (succeeded(report) === (when === 'success')) await notifier.end(report, signal)
    },
  }
}

async function readFile(workspace: string, path: string): Promise<SourceFile> {
  const problems: Problem[] = []
  const root = await realpath(workspace)
  const insteadOfUrl = 'Download it in a step before this one, check what it is, and name the file.'
  const found = await findInCheckout(root, path, { input: 'notify', kind: 'file', insteadOfUrl }, problems)
  if (found === undefined) rejectIfAny(problems)
  await using file = await open(found ?? resolve(root, path))
  const name = relative(root, found ?? path)
  const { size } = await file.stat()
  if (size > MOST_BYTES) {
    const hint = 'Name the file that says who is told; examples/monitoring/notify.yml is one.'
    throw new RejectedError([
      { code: 'InvalidInput', message: `the input notify: ${name} is larger than 64 KiB`, hint },
    ])
  }
  return { path: name, text: (await file.readFile()).toString('utf8') }
}

function documentsOf(file: SourceFile): YamlDocument[] {
  try {
    return readYaml(file)
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error
    rejectIfAny(
      error.problems.map((one) => ({ ...one, code: 'InvalidInput', message: `the input notify: ${one.message}` })),
    )
    throw error
  }
}
