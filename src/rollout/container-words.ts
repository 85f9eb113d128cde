/** What the numbers and texts of a container that ended mean, in words. */

/** Longer texts of the cluster are cut in a message; the report has them whole among the evidence. */
const LONGEST = 500

/** A shell adds 128 to the signal that ended a program, and so does a container runtime (signal(7), bash(1) EXIT STATUS). */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP: its terminal was closed',
  2: 'SIGINT: interrupted',
  3: 'SIGQUIT: asked to quit',
  4: 'SIGILL: illegal instruction, perhaps built for another processor',
  5: 'SIGTRAP: stopped at a trap',
  6: 'SIGABRT: aborted by itself, often a failed assertion',
  7: 'SIGBUS: bad memory access',
  8: 'SIGFPE: arithmetic error',
  9: 'SIGKILL: killed',
  11: 'SIGSEGV: invalid memory access',
  13: 'SIGPIPE: wrote to a closed connection',
  15: 'SIGTERM: asked to stop',
  31: 'SIGSYS: forbidden system call',
}

const CODES: Readonly<Record<number, string>> = {
  0: 'no error',
  1: 'the program reported an error',
  2: 'wrong usage, or a panic of a Go program',
  126: 'the command is there but cannot be executed',
  127: 'the command was not found',
  128: 'the program could not be started, or returned an invalid code',
  255: 'the program reported an error out of range',
}

/** `exit code 139 (SIGSEGV: invalid memory access)`. A code that has no common meaning stands alone. */
export function exitInWords(exitCode: number): string {
  const words = CODES[exitCode] ?? SIGNALS[exitCode - 128] ?? windowsStatus(exitCode)
  return `exit code ${exitCode}${words === undefined ? '' : ` (${words})`}`
}

/** Windows programs end with an NTSTATUS, which is looked up by its hexadecimal form. */
function windowsStatus(exitCode: number): string | undefined {
  return exitCode < 0 || exitCode > 255 ? `0x${(exitCode >>> 0).toString(16).toUpperCase()}` : undefined
}

/** A text of the cluster as part of a sentence: on one line, of bounded length, without the full stop. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '')
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1).trimEnd()}…` : line
}

/** Lines of a stack trace that say where, not what: of Java, JavaScript, Python and Go. */
const STACK_FRAME = /^\s*(at\s|File "|\.{3} \d+ more|goroutine \d+|created by |\S+\.go:\d+|[}\])\s]*$)/

/** The last line of a log that says something, which is mostly why the program ended. Undefined when there is none. */
export function lastWords(log: string): string | undefined {
  const line = log.split('\n').findLast((one) => one.trim() !== '' && !STACK_FRAME.test(one))
  return line === undefined ? undefined : oneLine(line)
}

/** `1 restart`, `3 restarts`. */
export function restartsInWords(restarts: number): string {
  return `${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`
}
