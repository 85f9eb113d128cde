import { expect, it } from '@jest/globals'
import { loadAll } from 'js-yaml'
import type { KubeObject } from '../../src/manifest/object.ts'
import { diffObjects, type FieldChange } from '../../src/plan/diff.ts'
import { createRedactor, type Redactor } from '../../src/secrets/redactor.ts'
import { namesIn, secretValuesOf } from '../../src/secrets/values.ts'
import { leaksIn, mutter } from '../cluster/canary/leaks.ts'
import { plant } from '../cluster/canary/plants.ts'
import { firstRelease, secondRelease } from '../cluster/canary/release.ts'

const GARDENS = 40

function redacted(changes: readonly FieldChange[], { redact }: Redactor): string {
  return JSON.stringify(changes, (_field, value: unknown) => (typeof value === 'string' ? redact(value) : value))
}

/** The same gardens as on the testbed (cluster/canary.test.ts), many more of them: some accidents are rare. */
it('no secret that the run knows of is in a plan, whatever it is made of and whoever quotes it', () => {
  for (let round = 0; round < GARDENS; round += 1) {
    const garden = plant({})
    const first = garden.plants.filter(({ knownFrom }) => knownFrom === 'first')
    const all = garden.plants.filter(({ knownFrom }) => knownFrom === 'first' || knownFrom === 'second')
    const before = loadAll(firstRelease(garden, { logFile: 'a.log', says: mutter(first) }, 'shop')) as KubeObject[]
    const after = loadAll(secondRelease(garden, { logFile: 'b.log', says: mutter(all) }, 'v2')) as KubeObject[]
    const redactor = createRedactor()
    for (const object of [...before, ...after]) {
      redactor.spare(namesIn(object))
      secretValuesOf(object).forEach(redactor.hide)
    }
    const told = after.map((object) => {
      const live = before.find(({ kind, metadata }) => kind === object.kind && metadata.name === object.metadata.name)
      return redacted(diffObjects(live, object, redactor.replaceKnown), redactor)
    })
    expect(told.join('\n')).toContain('*** (before)')
    expect({ plants: all, leaks: leaksIn({ plan: told.join('\n') }, all) }).toEqual({ plants: all, leaks: [] })
  }
})
