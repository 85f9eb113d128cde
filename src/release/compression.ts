/** gzip with the platform's own streams: the core stays free of node: imports. */

/** The UTF-8 bytes of a text, compressed. The same text gives the same bytes: gzip's time stamp is left out. */
export async function gzip(text: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))) chunks.push(chunk)
  return joined(chunks)
}

/**
 * The text that was compressed. Throws beyond `mostBytes` of it, with no more than that in memory: deflate packs a thousand
 * bytes into one (RFC 1951), so a Secret of 1 MiB may hold a gigabyte of nothing. Throws as well when the bytes are not gzip
 * from beginning to end, or the text is not UTF-8.
 */
export async function gunzip(bytes: Uint8Array, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  let length = 0
  // Leaving the loop early cancels the stream, which holds a few chunks of 64 KiB at a time.
  for await (const chunk of new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('gzip'))) {
    length += chunk.byteLength
    if (length > mostBytes) throw new Error(`it is more than ${mostBytes} bytes when unpacked`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** One array out of several. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.byteLength, 0))
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}
