import { isStorable, type SharedPostgres } from '../../../postgres/shared.ts'
import { isSameOwner, ownersUnavailable, type UidOwner, type UidOwners } from './uid-owners.ts'

/** A statement sees what was there when it began: an owner who came, or went, while it ran is seen by the next one. */
const MAX_ATTEMPTS = 3

/** Owners that all instances share, beside the records and on their connections. */
export function createPostgresUidOwners(postgres: SharedPostgres): UidOwners {
  const table = `${postgres.schema}.uid_owners`
  const own = `
    WITH kept AS (
      INSERT INTO ${table} AS o (uid, issuer, subject) VALUES ($1, $2, $3)
      ON CONFLICT (uid) DO UPDATE SET issuer = excluded.issuer, subject = excluded.subject
        WHERE o.issuer = $4 AND o.subject = $5
      RETURNING issuer, subject)
    SELECT issuer, subject FROM kept
    UNION ALL SELECT issuer, subject FROM ${table} WHERE uid = $1 AND NOT EXISTS (SELECT FROM kept)`

  async function ask(values: readonly (string | null)[], former: UidOwner | undefined): Promise<UidOwner> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const [row] = await postgres.ask(own, values)
      const owner = row && { issuer: String(row['issuer']), subject: String(row['subject']) }
      // One who would have been replaced was so by another process meanwhile.
      if (owner && !(former && isSameOwner(owner, former))) return owner
    }
    throw new Error('the owner changes too fast')
  }

  return {
    async own(uid, user, former) {
      const values = [uid, user.issuer, user.subject, former?.issuer ?? null, former?.subject ?? null]
      try {
        // What Postgres would keep as another text could make one user of two.
        if (!values.every(text => text === null || isStorable(text))) throw new Error('not a text for Postgres')
        return await ask(values, former)
      } catch {
        throw ownersUnavailable('uid-owners')
      }
    },
    isReady: () => postgres.isReady(),
    close: async () => undefined
  }
}
