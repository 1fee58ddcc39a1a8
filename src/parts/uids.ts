import { createLowerUidMap } from '../auth/uid/lower.ts'
import { createTableUidMap, type UidLookup } from '../auth/uid/table.ts'
import { createFileLookup } from '../auth/uid/table-file.ts'
import { createUrlLookup } from '../auth/uid/table-url.ts'
import { createUidMap, type UidMap } from '../auth/uid/uid-map.ts'
import type { Config } from '../config/load-config.ts'
import type { UidTableConfig } from '../config/uid.ts'
import type { Clock } from '../lib/clock.ts'
import type { Emit } from '../observability/events.ts'
import { createJsonFetcher } from '../outbound/fetch-json.ts'
import { createConnector } from '../outbound/proxy-connector.ts'
import type { SharedPostgres } from '../postgres/shared.ts'
import type { Part } from './part.ts'

/** A caller waits for the answer: one that takes longer is an outage. */
const ASKED = { timeoutMs: 3000, maxBytes: 64 * 1024, connections: 16 }
const TABLE_TTL_MS = 60_000

export interface Uids extends Part {
  readonly uidOf: UidMap
}

export interface UidNeeds {
  readonly clock: Clock
  readonly emit: Emit
  /** Of the records, where they are there. */
  readonly postgres: SharedPostgres | undefined
}

/**
 * Makes the map from users to UIDs that the configuration asks for. Throws a StoreError, before anything runs, where the
 * owners of UIDs cannot be kept.
 */
export async function openUids({ uid, delivery, proxy }: Config, { clock, emit, postgres }: UidNeeds): Promise<Uids> {
  const { mode, prefix, strip, table } = uid
  if (mode === 'verbatim' || mode === 'hash') {
    return { uidOf: createUidMap({ mode, prefix, strip }), health: [], close: () => undefined }
  }
  const { openUidOwners } = await import('../auth/uid/owners/open.ts')
  const owners = await openUidOwners(delivery.store, postgres)
  const health = [{ reason: 'uid-owners', isReady: () => owners.isReady() }]
  if (mode === 'lower' || !table) {
    return { uidOf: createLowerUidMap({ owners, emit, strip }), health, close: () => owners.close() }
  }
  const { lookUp, close } = table.kind === 'file' ? fileLookup(table, emit) : urlLookup(table, proxy)
  // A file is in memory and must count at once when it changes.
  const ttlMs = table.kind === 'file' ? 0 : TABLE_TTL_MS
  return {
    uidOf: createTableUidMap({ lookUp, clock, ttlMs, emit, owners, strip }),
    health,
    async close() {
      await Promise.all([close(), owners.close()])
    }
  }
}

interface Lookup {
  readonly lookUp: UidLookup
  close(): Promise<void>
}

function fileLookup({ path, table }: UidTableConfig & { kind: 'file' }, emit: Emit): Lookup {
  const { lookUp, close } = createFileLookup(path, table, emit)
  return { lookUp, close: async () => close() }
}

function urlLookup({ template, token }: UidTableConfig & { kind: 'url' }, proxy: Config['proxy']): Lookup {
  const fetchJson = createJsonFetcher({ ...ASKED, connect: createConnector(proxy?.proxyFor) })
  return { lookUp: createUrlLookup(template, token, fetchJson), close: () => fetchJson.close() }
}
