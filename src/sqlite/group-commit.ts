import type { DatabaseSync, StatementSync } from 'node:sqlite'

export interface GroupCommitOptions {
  readonly database: DatabaseSync
  /** Told of every transition that failed. */
  readonly onFailure: () => void
  /** Throws where nothing must be written any more. */
  readonly check?: () => void
}

interface Waiting {
  readonly transition: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Bounds for how long the file is locked and this thread is busy; the others follow one turn later. */
const MAX_AT_ONCE = 256
/** Another process has the file: then it is tried again so often, while this thread does other things. */
const LOCKED_TRIES = 25
const LOCKED_RETRY_MS = 10

/**
 * Transitions that are asked for in one turn of the event loop share a transaction: one commit, and one wait for the
 * disk, instead of one each. Nobody is told anything before the commit.
 */
export class GroupCommit {
  readonly #database: DatabaseSync
  readonly #onFailure: () => void
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #rollback: StatementSync
  readonly #check: () => void
  #waiting: Waiting[] = []
  /** So often the file was found locked since it last was not. */
  #lockedTries = 0

  constructor({ database, onFailure, check = () => undefined }: GroupCommitOptions) {
    this.#database = database
    this.#onFailure = onFailure
    this.#check = check
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#rollback = database.prepare('ROLLBACK')
  }

  /**
   * Resolves when the transition is committed. One that throws does not disturb the others: it is rejected alone, with
   * whatever it had changed by then committed. While another process keeps the file for itself the first ones wait, and later
   * ones are rejected after one look.
   */
  run<T>(transition: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transition, resolve: resolve as Waiting['resolve'], reject })
      if (this.#waiting.length === 1) this.#commitSoon()
    })
  }

  /** Runs a transition at once, in a transaction of its own. */
  runNow<T>(transition: () => T): T {
    try {
      return this.#transaction(transition)
    } catch (error) {
      // What another process is doing with the file is soon over.
      if (!isLocked(error)) this.#onFailure()
      throw error
    }
  }

  /** Commits, or rejects, everything that waits. */
  flush(): void {
    this.#lockedTries = LOCKED_TRIES
    while (this.#waiting.length > 0) this.#commitNext()
  }

  #commitSoon(): void {
    setImmediate(() => this.#commitAll())
  }

  /** One group a turn. */
  #commitAll(): void {
    this.#commitNext()
    if (this.#waiting.length === 0) return
    if (this.#lockedTries > 0) setTimeout(() => this.#commitAll(), LOCKED_RETRY_MS)
    else this.#commitSoon()
  }

  #commitNext(): void {
    const group = this.#waiting.splice(0, MAX_AT_ONCE)
    if (group.length === 0) return
    try {
      this.#commitGroup(group)
      this.#lockedTries = 0
    } catch (error) {
      if (isLocked(error)) this.#waitForLock(group, error)
      else this.#commitEach(group)
    }
  }

  /** Nothing of the group has happened, and it is the first of the next one; until it was tried often enough. */
  #waitForLock(group: readonly Waiting[], error: unknown): void {
    this.#lockedTries++
    this.#waiting.unshift(...group)
    if (this.#lockedTries < LOCKED_TRIES) return
    for (const one of this.#waiting.splice(0)) this.#fail(one, error)
  }

  /** Throws when nothing of it is committed; then nobody has been told anything. */
  #commitGroup(group: readonly Waiting[]): void {
    const tell = this.#transaction(() => group.map(one => this.#attempt(one)))
    for (const one of tell) one()
  }

  /** What cannot be kept, as on a full disk, has ended the transaction of all: those who can be kept are, one by one. */
  #commitEach(group: readonly Waiting[]): void {
    let lock: unknown
    for (const one of group) {
      try {
        // Each would wait for a lock anew, and this thread with it.
        if (lock !== undefined) throw lock
        this.#commitGroup([one])
      } catch (error) {
        if (isLocked(error)) lock = error
        this.#fail(one, error)
      }
    }
  }

  /** Runs it, and returns how to tell what came of it; throws when the transaction is over. */
  #attempt(one: Waiting): () => void {
    try {
      const result = one.transition()
      return () => one.resolve(result)
    } catch (error) {
      if (!this.#database.isTransaction) throw error
      return () => this.#fail(one, error)
    }
  }

  #fail({ reject }: Waiting, error: unknown): void {
    this.#onFailure()
    reject(error)
  }

  #transaction<T>(work: () => T): T {
    this.#check()
    this.#begin.run()
    try {
      const result = work()
      this.#commit.run()
      return result
    } catch (error) {
      // Some failures, such as a full disk, have rolled it back already.
      if (this.#database.isTransaction) this.#rollback.run()
      throw error
    }
  }
}

/** SQLITE_BUSY, after all the waiting that the database was opened with. */
function isLocked(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}
