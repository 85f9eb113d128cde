/** Cuts the text of a file into its documents, the way kubectl does before it parses any of them. */

/** A document's text, and the 1-based line of the file on which it begins. */
export interface Piece {
  readonly text: string
  readonly line: number
}

/** YAML documents, cut at lines that begin with `---`; or JSON objects one after the other, as jq writes them. */
export function piecesOf(text: string): Piece[] {
  const objects = jsonObjects(text)
  return objects.length > 1 ? objects : yamlDocuments(text)
}

function yamlDocuments(text: string): Piece[] {
  const pieces: Piece[] = []
  let start = 0
  let line = 1
  for (const marker of text.matchAll(/^---/gm)) {
    if (marker.index === start) continue
    const piece = text.slice(start, marker.index)
    pieces.push({ text: piece, line })
    line += countLineBreaks(piece)
    start = marker.index
  }
  return [...pieces, { text: text.slice(start), line }]
}

function jsonObjects(text: string): Piece[] {
  const pieces: Piece[] = []
  let start = 0
  let line = 1
  for (let end = endOfJsonObject(text, 0); end !== undefined; end = endOfJsonObject(text, start)) {
    const piece = text.slice(start, end)
    pieces.push({ text: piece, line })
    line += countLineBreaks(piece)
    start = end
  }
  return text.slice(start).trim() === '' ? pieces : []
}

/** Where the JSON object ends that begins at `start`, after white space; undefined when there is none. */
function endOfJsonObject(text: string, start: number): number | undefined {
  const opening = /\s*\{/y
  opening.lastIndex = start
  if (!opening.test(text)) return undefined
  let depth = 1
  let inString = false
  for (let index = opening.lastIndex; index < text.length; index++) {
    const character = text.charAt(index)
    if (character === '"') inString = !inString
    else if (inString) index += character === '\\' ? 1 : 0
    else if (character === '{') depth++
    else if (character === '}' && --depth === 0) return index + 1
  }
  return undefined
}

function countLineBreaks(text: string): number {
  return text.match(/\r\n?|\n/g)?.length ?? 0
}
