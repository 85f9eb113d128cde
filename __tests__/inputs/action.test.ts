/** action.yml, the inputs that the code reads, and the tables of the README say the same. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { load } from 'js-yaml'
import { inputsTable, outputsTable, readAction, replaceBetween } from '../../scripts/generate-docs.ts'
import { INPUT_DEFAULTS, readInputs } from '../../src/inputs/inputs.ts'
import { OUTPUT_NAMES } from '../../src/report/outputs.ts'

const ROOT = join(import.meta.dirname, '../..')
const TEXT = readFileSync(join(ROOT, 'action.yml'), 'utf8')
const action = readAction(TEXT)
const KUBECONFIG = 'clusters: []'

describe('action.yml', () => {
  it('declares exactly the inputs that are read', () => {
    const asked = new Set<string>()
    const input = (name: string) => {
      asked.add(name)
      return { manifests: 'k8s', kubeconfig: KUBECONFIG, release: 'shop' }[name] ?? ''
    }
    readInputs({ input, env: {}, event: undefined })
    expect(Object.keys(action.inputs).toSorted()).toEqual([...asked].toSorted())
  })

  it('declares the same defaults as the code', () => {
    const declared = Object.fromEntries(
      Object.entries(action.inputs).map(([name, field]) => [name, field.default ?? '']),
    )
    expect(declared).toEqual({ ...INPUT_DEFAULTS, 'github-token': '${{ github.token }}' })
  })

  it('has defaults that are the same when they are written out', () => {
    const read = (fallback: Readonly<Record<string, string>>) =>
      readInputs({
        input: (name) => ({ manifests: 'k8s', kubeconfig: KUBECONFIG, release: 'shop' })[name] ?? fallback[name] ?? '',
        env: {},
        event: undefined,
      })
    expect(read(INPUT_DEFAULTS)).toEqual(read({}))
  })

  it('declares exactly the outputs that are set', () => {
    expect(Object.keys(action.outputs).toSorted()).toEqual([...OUTPUT_NAMES, 'report'].toSorted())
  })

  it('runs the bundle on Node 24, and once more at the end of the job, whatever became of it', () => {
    const runs = { using: 'node24', main: 'dist/index.js', post: 'dist/index.js', 'post-if': 'always()' }
    expect(load(TEXT)).toMatchObject({ name: 'Rollsafe', runs })
  })

  it('describes everything in whole sentences', () => {
    for (const { description } of [...Object.values(action.inputs), ...Object.values(action.outputs)]) {
      expect(description).toMatch(/^[A-Z`][\s\S]*\.$/)
    }
  })
})

describe('the tables', () => {
  it('of the README are those of action.yml', () => {
    expect(() =>
      execFileSync(process.execPath, [join(ROOT, 'scripts/generate-docs.ts'), '--check'], { stdio: 'pipe' }),
    ).not.toThrow()
  })

  it('have a row for each input and output', () => {
    for (const name of Object.keys(action.inputs)) expect(inputsTable(action)).toContain(`| \`${name}\` |`)
    for (const name of Object.keys(action.outputs)) expect(outputsTable(action)).toContain(`| \`${name}\` |`)
  })

  it('escape what would end a cell', () => {
    const table = inputsTable({ inputs: { a: { description: 'one | two\nthree' } }, outputs: {} })
    expect(table.split('\n').at(-1)).toBe(String.raw`| ${'`a`'} |  | one \| two three |`)
  })

  it('replace what is between their markers, and nothing else', () => {
    const document = 'before\n<!-- inputs:start -->\nold\n<!-- inputs:end -->\nafter'
    const after = 'before\n<!-- inputs:start -->\n\nnew $& text\n\n<!-- inputs:end -->\nafter'
    expect(replaceBetween(document, 'inputs', 'new $& text')).toBe(after)
    expect(() => replaceBetween(document, 'outputs', 'x')).toThrow('<!-- outputs:start -->')
    expect(() => replaceBetween('<!-- inputs:end --><!-- inputs:start -->', 'inputs', 'x')).toThrow('followed by')
  })

  it.each([
    'inputs: {a: {default: "1"}}\noutputs: {}',
    'inputs: {a: {description: x, default: false}}\noutputs: {}',
    'inputs: []',
    'a',
  ])('are not made of %j', (text) => {
    expect(() => readAction(text)).toThrow('action.yml')
  })
})
