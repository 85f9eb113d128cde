/** Starts one testbed for the whole run of jest. Fails the run, with the reason, when there can be none. */
import { startTestbed, type Testbed } from '../../testbed/testbed.ts'

/** Names the environment variable by which the workers learn of the testbed. */
export const TESTBED_FACTS = 'ROLLSAFE_TESTBED_FACTS'

/** Jest loads setup and teardown apart, and once for each project: what they share is kept here. */
export const shared = globalThis as typeof globalThis & { rollsafeTestbed?: Promise<Testbed> }

export default async function globalSetup(): Promise<void> {
  shared.rollsafeTestbed ??= startTestbed()
  const testbed = await shared.rollsafeTestbed
  process.env[TESTBED_FACTS] = JSON.stringify(testbed.facts)
  // Jest does not run the teardown when it is interrupted.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void testbed.stop()
      process.kill(process.pid, signal)
    })
  }
}
