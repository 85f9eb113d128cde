/** The recordings in fixtures/yaml against the kubectl of the testbed. It works on files alone: no cluster is asked. */
import { describe, expect, it } from '@jest/globals'
import { loadManifests } from '../../src/manifest/load.ts'
import { isObject } from '../../src/manifest/object.ts'
import { GOLDEN_FILES, REFUSED } from '../fixtures/yaml/golden.ts'
import { testbed } from './testbed.ts'

/** What kubectl reads: the objects as JSON, one after the other, with the annotation that it was made to set taken out. */
async function readByKubectl(text: string): Promise<unknown[]> {
  const printed = await testbed().kubectl(
    ['annotate', '--local', '--filename', '-', '--output', 'json', 'golden=yes'],
    text,
  )
  return printed
    .split(/(?<=^\}\n)/m)
    .filter((object) => object.trim() !== '')
    .map((object) => {
      const parsed: unknown = JSON.parse(object)
      if (isObject(parsed) && isObject(parsed['metadata'])) delete parsed['metadata']['annotations']
      return parsed
    })
}

describe('kubectl', () => {
  it.each(GOLDEN_FILES)('reads $name as it is recorded, and as Rollsafe does', async ({ name, text, objects }) => {
    const read = await readByKubectl(text)
    expect(read).toEqual(objects)
    expect(loadManifests([{ path: name, text }]).map(({ object }) => object)).toEqual(read)
  })

  it.each(REFUSED)('refuses $name', async ({ text }) => {
    await expect(readByKubectl(text)).rejects.toThrow(/error/)
  })

  it('holds at least 50 scalars as values and as keys', () => {
    const count = (name: string) =>
      GOLDEN_FILES.find((file) => file.name === name)?.text.match(/^ {2}(?:- .+: key|v\d+: .*)$/gm)?.length
    expect(count('scalar-values.yaml')).toBeGreaterThan(100)
    expect(count('scalar-keys.yaml')).toBeGreaterThan(100)
  })

  it('drops what stands behind "...", which Rollsafe reads', async () => {
    const object = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`
    expect(await readByKubectl(`${object('a')}...\n${object('b')}`)).toHaveLength(1)
    expect(loadManifests([{ path: 'a.yaml', text: `${object('a')}...\n${object('b')}` }])).toHaveLength(2)
  })
})
