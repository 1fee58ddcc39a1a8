import type { DatabaseSync } from 'node:sqlite'
import type { GroupCommit } from './group-commit.ts'

/** A database that several stores use: what they do in one turn is one commit. */
export interface SharedDatabase {
  readonly database: DatabaseSync
  readonly commits: GroupCommit
}
