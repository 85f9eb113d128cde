import { ClusterError } from '../../errors.ts'

/** What proves to the API server who asks. The same object for as long as it is the same proof. */
export interface Credentials {
  /** The Authorization header. */
  readonly authorization?: string
  readonly certificate?: ClientCertificate
}

/** In PEM. */
export interface ClientCertificate {
  readonly cert: string
  readonly key: string
}

/** How a user proves who it is. Methods throw a ClusterError with the reason LoginFailed, or the signal's reason. */
export interface Login {
  credentials(signal?: AbortSignal): Promise<Credentials>
  /** After a 401 to `refused`: whether there are other credentials now. */
  refresh(refused: Credentials, signal?: AbortSignal): Promise<boolean>
  /** Ends what may still be running. */
  end(): void
}

export function loginWithoutRefresh(credentials: Credentials = {}): Login {
  return { credentials: async () => credentials, refresh: async () => false, end: () => undefined }
}

/** As long as client-go believes a token that was read from a file (transport/token_source.go). */
const TOKEN_FILE_MS = 60_000

export interface TokenFile {
  /** The token that is there now, already hidden from the log; undefined when there is none that can be used. */
  read(): Promise<string | undefined>
  readonly certificate?: ClientCertificate
  /** Milliseconds on a clock that never jumps. */
  now(): number
}

/** Login by a token in a file that somebody renews: it is read again after a minute, and when it is refused. */
export function createTokenFileLogin(first: string, { read, certificate, now }: TokenFile): Login {
  const credentialsOf = (token: string): Credentials => ({
    authorization: `Bearer ${token}`,
    ...(certificate && { certificate }),
  })
  let current = credentialsOf(first)
  let readAt = now()

  async function readAgain(): Promise<void> {
    readAt = now()
    // A file that is being replaced: the old token may still do.
    const token = await read()
    if (token !== undefined && current.authorization !== `Bearer ${token}`) current = credentialsOf(token)
  }

  return {
    async credentials() {
      if (now() - readAt >= TOKEN_FILE_MS) await readAgain()
      return current
    },
    async refresh(refused) {
      if (refused === current) await readAgain()
      return refused !== current
    },
    end: () => undefined,
  }
}

/** No credentials at all, as opposed to credentials that the server refuses. */
export function loginFailed(message: string, cause?: unknown): ClusterError {
  return new ClusterError(message, { status: 401, reason: 'LoginFailed', request: 'log in', cause })
}
