import type { Redis } from 'ioredis'
import { StoreError } from '../../../lib/service/store-error.ts'
import { isSynced, NOT_ANSWERED } from '../../../redis/durability.ts'
import { readServerFacts, type ServerFacts } from '../../../redis/server-info.ts'
import type { ServerNow } from './judgement.ts'

export interface SeenServer {
  readonly now: ServerNow
  /** Undefined where it does not answer INFO. */
  readonly facts: ServerFacts | undefined
  /** What cannot be promised there. */
  readonly limit: 'info-forbidden' | 'config-forbidden' | 'no-append-only-file' | undefined
}

/** What a server says of itself. Throws where it cannot be used at the moment, and a StoreError where it must not be. */
export async function seeServer(redis: Redis, isCluster: boolean): Promise<SeenServer> {
  const [facts, isSyncedByConfig] = await Promise.all([factsOf(redis, isCluster), isSynced(redis)])
  if (!facts) {
    const now = { run: '', isSynced: false, hasForeignHistory: false, replicationId: '', replicas: 0 }
    return { now, facts, limit: 'info-forbidden' }
  }
  if (facts.refusal !== undefined) throw new StoreError(facts.refusal)
  if (facts.obstacle !== undefined) throw new Error(facts.obstacle)
  const { runId: run, hasForeignHistory, replicationId, replicas, isPersistent } = facts
  const isSyncedNow = isSyncedByConfig === true && facts.hasWholeLog
  const now = { run, isSynced: isSyncedNow, hasForeignHistory, replicationId, replicas }
  if (!isPersistent) return { now, facts, limit: 'no-append-only-file' }
  return { now, facts, limit: isSyncedByConfig === undefined ? 'config-forbidden' : undefined }
}

/** The run of a server; empty where it does not say. */
export async function runOf(redis: Redis): Promise<string> {
  return (await factsOf(redis, true))?.runId ?? ''
}

/** Throws a StoreError where WAIT cannot be asked, or its answer would prove nothing: 0 replicas have always confirmed. */
export async function requireWait(redis: Redis, { run }: ServerNow): Promise<void> {
  if (run === '') throw new StoreError('STORE_WAIT_REPLICAS needs a Redis that answers INFO to the user of STORE_URL.')
  try {
    await redis.wait(0, 1)
  } catch (error) {
    if (!(error instanceof Error && NOT_ANSWERED.test(error.message))) throw error
    throw new StoreError('STORE_WAIT_REPLICAS needs a Redis that answers WAIT to the user of STORE_URL.')
  }
}

/** Undefined where that cannot be known. */
export async function factsOf(redis: Redis, isCluster: boolean): Promise<ServerFacts | undefined> {
  try {
    return readServerFacts(await redis.info(), isCluster)
  } catch (error) {
    if (error instanceof Error && NOT_ANSWERED.test(error.message)) return undefined
    throw error
  }
}
