import { cut, stripControls } from '../redact.ts'

/** A text in one line of at most `length` characters, with entities for what would begin a mention, a link or HTML. */
export function withEntities(text: string, length = 1000): string {
  const line = cut(stripControls(text).replaceAll(/\s+/gu, ' ').trim(), length)
  return line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** The address if it is one of the web, else undefined. */
export function webAddress(text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined
}
