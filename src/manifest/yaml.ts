/**
 * YAML and JSON files as kubectl reads them (yaml-scalars.ts tells what a scalar means), within limits that a hostile file
 * cannot pass. The result is a plain tree of JSON: what an alias repeats is copied, and nothing is shared.
 */
import { rejectIfAny, type Problem } from '../errors.ts'
import type { SourceFile } from '../ports.ts'
import type { Json } from './object.ts'
import { Expansion, lineAt, MAX_CHARACTERS, TotalBudget } from './yaml-expansion.ts'
import { YamlError } from './yaml-events.ts'
import { parseNodes } from './yaml-nodes.ts'
import { piecesOf } from './yaml-pieces.ts'

export interface YamlDocument {
  readonly value: Json
  /** The 1-based line of the value at a path, for a field that of its key; of what is nearest when the path leads nowhere. */
  lineOf(path: readonly (string | number)[]): number
}

/**
 * Every document of a file that is not empty; files that are read together share a total. Of keys that are given twice the last one counts, as in kubectl.
 * Throws RejectedError with an InvalidManifest problem, at its line, for each document that cannot be read.
 */
export function readYaml(file: SourceFile, total: TotalBudget = new TotalBudget()): YamlDocument[] {
  const documents: YamlDocument[] = []
  const problems: Problem[] = []
  const expansion = new Expansion(total)
  const pieces = file.text.length > MAX_CHARACTERS ? [] : piecesOf(file.text)
  if (pieces.length === 0) {
    problems.push(
      problem(file, new YamlError('the file is larger than 10 MiB', 1, 'Split it, and keep data out of it.')),
    )
  }
  for (const piece of pieces) {
    try {
      for (const root of parseNodes(piece.text, piece.line)) {
        const value = expansion.document(root)
        if (value !== null) documents.push({ value, lineOf: (path) => lineAt(root, path) })
      }
    } catch (error) {
      if (!(error instanceof YamlError)) throw error
      problems.push(problem(file, error))
      if (expansion.exhausted) break
    }
  }
  rejectIfAny(problems)
  return documents
}

function problem(file: SourceFile, { message, hint, line }: YamlError): Problem {
  return { code: 'InvalidManifest', message: `${file.path}:${line}: ${message}`, hint, at: { file: file.path, line } }
}
