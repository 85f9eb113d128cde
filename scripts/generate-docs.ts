/**
 * Writes the tables of inputs and outputs of README.md from action.yml, between the markers `<!-- inputs:start -->` and
 * `<!-- inputs:end -->` (and the same for outputs). With --check it writes nothing and fails when they differ.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { format, resolveConfig } from 'prettier'

interface Field {
  readonly description: string
  readonly default?: string
  readonly required?: boolean
}

/** The parts of action.yml that the tables show. */
export interface ActionMetadata {
  readonly inputs: Readonly<Record<string, Field>>
  readonly outputs: Readonly<Record<string, Field>>
}

/** Reads action.yml; throws when an input or output lacks its description. */
export function readAction(text: string): ActionMetadata {
  const action = fieldsOf(load(text))
  return { inputs: fieldTable(action['inputs'], 'inputs'), outputs: fieldTable(action['outputs'], 'outputs') }
}

export function inputsTable({ inputs }: ActionMetadata): string {
  const rows = Object.entries(inputs).map(([name, { description, default: preset, required }]) => {
    const shown = preset === undefined ? (required === true ? '**required**' : '') : `\`${preset}\``
    return `| \`${name}\` | ${shown} | ${cell(description)} |`
  })
  return ['| Input | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

export function outputsTable({ outputs }: ActionMetadata): string {
  const rows = Object.entries(outputs).map(([name, { description }]) => `| \`${name}\` | ${cell(description)} |`)
  return ['| Output | Meaning |', '| --- | --- |', ...rows].join('\n')
}

/** Puts text between `<!-- name:start -->` and `<!-- name:end -->`; throws when the document lacks one of them. */
export function replaceBetween(document: string, name: string, text: string): string {
  const start = `<!-- ${name}:start -->`
  const end = `<!-- ${name}:end -->`
  const from = document.indexOf(start)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the document has no "${start}" followed by "${end}"`)
  return `${document.slice(0, from + start.length)}\n\n${text}\n\n${document.slice(to)}`
}

function cell(text: string): string {
  return text
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|')
}

function fieldTable(value: unknown, of: string): Record<string, Field> {
  return Object.fromEntries(
    Object.entries(fieldsOf(value)).map(([name, entry]) => {
      const { description, default: preset, required } = fieldsOf(entry)
      if (typeof description !== 'string') throw new Error(`action.yml: ${of}.${name} has no description`)
      if (preset !== undefined && typeof preset !== 'string')
        throw new Error(`action.yml: quote the default of ${of}.${name}`)
      return [name, { description, ...(preset !== undefined && { default: preset }), required: required === true }]
    }),
  )
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('action.yml: a mapping is expected')
  return { ...value }
}

async function main(check: boolean): Promise<void> {
  const root = new URL('../', import.meta.url)
  const action = readAction(readFileSync(new URL('action.yml', root), 'utf8'))
  const file = new URL('README.md', root)
  const before = readFileSync(file, 'utf8')
  const written = replaceBetween(replaceBetween(before, 'inputs', inputsTable(action)), 'outputs', outputsTable(action))
  const after = await format(written, { ...(await resolveConfig(file)), parser: 'markdown' })
  if (after === before) return
  if (check) {
    console.error('The tables of README.md do not agree with action.yml: run "npm run docs" and commit the result.')
    process.exitCode = 1
  } else writeFileSync(file, after)
}

if (import.meta.main) await main(process.argv.includes('--check'))
