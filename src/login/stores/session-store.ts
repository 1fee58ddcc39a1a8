import { isObject } from '../../lib/json.ts'
/** A session as it is kept: hashes, times, and a text that only the cookie and the service's secret can open. */
export interface SessionRecord {
  readonly sealed: string
  /** Names by which a logout finds it: of the provider's session, of the user. */
  readonly indexKeys: readonly string[]
  /** On the wall clock, in milliseconds: sessions outlive the process. */
  readonly idleEndsAtMs: number
  readonly endsAtMs: number
}

/**
 * Keeps sessions under names that are hashes, and marks of what may be used only once. It judges nothing: whether a
 * record is still good is decided in sessions.ts. `nowMs` only says what may be swept away.
 */
export interface SessionStore {
  put(name: string, record: SessionRecord, nowMs: number): Promise<void>
  get(name: string): Promise<SessionRecord | undefined>
  /** Moves the idle end of a session that still exists; never brings one back. */
  touch(name: string, record: SessionRecord): Promise<void>
  delete(name: string): Promise<void>
  /** Deletes every session under an index key; resolves with their names. */
  deleteIndexed(indexKey: string): Promise<readonly string[]>
  /** True the first time, false until the mark has expired. */
  consumeOnce(name: string, untilMs: number, nowMs: number): Promise<boolean>
  /** Takes a mark back: what it stood for did not happen. */
  forgetConsumed(name: string): Promise<void>
  isReady(): boolean
  close(): Promise<void>
}

/** What is read back is not trusted: other programs may write to the same place. */
export function isSessionRecord(value: unknown): value is SessionRecord {
  if (!isObject(value)) return false
  const { sealed, indexKeys, idleEndsAtMs, endsAtMs } = value
  return (
    typeof sealed === 'string' &&
    Array.isArray(indexKeys) &&
    indexKeys.every(key => typeof key === 'string') &&
    Number.isFinite(idleEndsAtMs) &&
    Number.isFinite(endsAtMs)
  )
}
