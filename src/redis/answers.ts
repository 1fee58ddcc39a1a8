// What the errors mean that Redis answers.

/** The server has not done what it was asked: another one may, or the same one soon. */
const NOT_DONE = /^(?:ERR .*-)?(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|READONLY|MASTERDOWN|LOADING|EXECABORT)\b/
const CREDENTIALS = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid|ERR AUTH)/

/** Redis has answered, with an error. */
export function isAnswer(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}

/**
 * The word with which a server has refused to do anything, such as MOVED, though another server or a later time may not;
 * undefined for any other error.
 */
export function notDone(error: unknown): string | undefined {
  return error instanceof Error ? NOT_DONE.exec(error.message)?.[1] : undefined
}

export function isOfCredentials(error: unknown): boolean {
  return error instanceof Error && CREDENTIALS.test(error.message)
}

/** A word that says what is wrong; the message itself may repeat what was sent, credentials too. */
export function reasonOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : (/^[A-Z][A-Z0-9_]+\b/.exec(error.message)?.[0] ?? 'no answer')
  return /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : 'no answer'
}
