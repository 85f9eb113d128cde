import { shared } from './global-setup.ts'

export default async function globalTeardown(): Promise<void> {
  const testbed = await shared.rollsafeTestbed
  delete shared.rollsafeTestbed
  await testbed?.stop()
}
