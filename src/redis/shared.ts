import type { ScriptRunner } from './scripts.ts'

/** A connection to Redis that several stores use: what they ask in one turn goes out in one write. */
export interface SharedRedis {
  readonly scripts: ScriptRunner
  /** Throws while Redis is away. */
  requireUsable(): void
  /** Whoever asks by itself tells of every failure. */
  noteFailure(error: unknown): void
}
