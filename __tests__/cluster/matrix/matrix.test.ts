import { afterAll, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from '../../../src/ports.ts'
import { connect } from '../settled.ts'
import { withNamespace } from '../testbed.ts'
import { CELLS } from './cells.ts'
import { runCell } from './run-cell.ts'

/** Concurrent tests begin before `beforeAll`, so the first one that needs it makes it. */
let shared: Promise<{ cluster: Cluster; compileCache: string }> | undefined
const share = () =>
  (shared ??= (async () => ({
    cluster: await connect(),
    compileCache: await mkdtemp(join(tmpdir(), 'rollsafe-compiled-')),
  }))())

afterAll(async () => {
  const { cluster, compileCache } = await share()
  await cluster.close()
  await rm(compileCache, { recursive: true, force: true })
})

describe('a bad release is taken back, and the cluster is as it was before:', () => {
  it('every cell of the table is here', () => expect(CELLS).toHaveLength(7 * 4 * 5))

  it.concurrent.each(CELLS)('$title', async (cell) => {
    const { cluster, compileCache } = await share()
    const next = await withNamespace('matrix', async (namespace) => {
      // Each release has a Role and a RoleBinding.
      await namespace.grant('rollsafe-rbac')
      return await runCell(cell, { cluster, namespace, compileCache })
    })
    expect(next.outputs).toMatchObject({ outcome: 'deployed' })
  })
})
