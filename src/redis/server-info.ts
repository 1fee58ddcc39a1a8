/** What INFO tells about a server that matters for records. */
export interface ServerFacts {
  /** Changes with every restart, and from server to server. */
  readonly runId: string
  /** Since the start of this run, in whole seconds. */
  readonly uptimeMs: number
  /** Why it takes no writes at the moment, as Redis itself would say it. */
  readonly obstacle?: 'LOADING' | 'READONLY'
  /** True when records survive its restart. */
  readonly isPersistent: boolean
  /**
   * Whether its append-only file is whole: not while it is written anew, which may be its first time (CONFIG SET appendonly).
   * Whether each write is on the disk before it is answered is not in INFO (durability.ts).
   */
  readonly hasWholeLog: boolean
  /** How many replicas are connected. */
  readonly replicas: number
  /**
   * Whether its history is that of another server, of which it was a replica, or of a snapshot. A primary that loaded an
   * append-only file has none before itself (replication.c, loadDataFromDisk in server.c).
   */
  readonly hasForeignHistory: boolean
  /** Of its history now (`master_replid`); empty where it does not say. */
  readonly replicationId: string
  /** Why records must not be kept there, for the operator. */
  readonly refusal?: string
}

/** Reads the answer to INFO, of a node of a cluster where one is expected, of which nothing is believed that does not look as it should. */
export function readServerFacts(info: string, isCluster = false): ServerFacts {
  const fields = new Map(
    Array.from(info.matchAll(/^([a-z0-9_]+):([^\r\n]*)/gm), ([, name = '', value = '']) => [name, value])
  )
  const refusal = refusalOf(fields, isCluster)
  return {
    runId: id(fields.get('run_id')),
    uptimeMs: 1000 * (Number(fields.get('uptime_in_seconds')) || 0),
    isPersistent: fields.get('aof_enabled') !== '0',
    hasWholeLog: fields.get('aof_enabled') === '1' && fields.get('aof_rewrite_in_progress') === '0',
    replicas: count(fields.get('connected_slaves')),
    hasForeignHistory: /[1-9a-f]/.test(fields.get('master_replid2') ?? ''),
    replicationId: id(fields.get('master_replid')),
    ...(fields.get('role') === 'slave' && { obstacle: 'READONLY' }),
    ...(fields.get('loading') === '1' && { obstacle: 'LOADING' }),
    ...(refusal !== undefined && { refusal })
  }
}

function id(text = ''): string {
  return /^[0-9a-f]{1,64}$/.test(text) ? text : ''
}

/** What is no number is more than any. */
function count(text: string | undefined): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
}

function refusalOf(fields: ReadonlyMap<string, string>, isCluster: boolean): string | undefined {
  const mode = modeOf(fields)
  if (mode === 'cluster' && !isCluster) {
    return 'STORE_URL names a Redis in cluster mode: write redis+cluster:// or rediss+cluster:// in the place of its scheme.'
  }
  if (mode === 'sentinel') {
    return 'STORE_URL names a Redis in sentinel mode: write redis+sentinel://HOST,HOST/MASTER, or name a single primary.'
  }
  if (mode !== 'standalone' && mode !== 'cluster') {
    return `STORE_URL names a Redis in ${plain(mode)} mode: name a single primary, or the address that leads to it.`
  }
  // Every record has an expiry, so even the volatile-* policies would drop one that says "may have been sent".
  const policy = fields.get('maxmemory_policy') ?? 'noeviction'
  if (policy !== 'noeviction' && fields.get('maxmemory') !== '0') {
    return `STORE_URL names a Redis that may evict records: set its maxmemory-policy to noeviction (it is ${plain(policy)}).`
  }
  return undefined
}

/** Redis calls it `redis_mode`, Valkey and others `server_mode`; a proxy or a cloud may leave both out. */
function modeOf(fields: ReadonlyMap<string, string>): string {
  if (fields.get('cluster_enabled') === '1') return 'cluster'
  return fields.get('redis_mode') ?? fields.get('server_mode') ?? 'standalone'
}

function plain(value: string): string {
  return /^[a-z-]{1,32}$/.test(value) ? value : 'another'
}
