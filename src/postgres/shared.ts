import type { Row } from './connection.ts'

/** Connections to Postgres that several stores use. */
export interface SharedPostgres {
  /** In which the tables are, as SQL has it. */
  readonly schema: string
  /** Runs one statement. Rejects when it may or may not have run, and at once while Postgres is away. */
  ask(text: string, values: readonly unknown[], timeoutMs?: number): Promise<readonly Row[]>
  /** Told whenever records, and what is kept beside them, may have got lost. */
  onLoss(listener: () => void): void
  /** The clock of the server, as this process knows it, in milliseconds. */
  nowMs(): number
  isReady(): boolean
}

/** Whether a text comes back from Postgres as it is: it keeps no NUL, and no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
