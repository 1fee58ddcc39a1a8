// Where the masters of a Redis Cluster are, as its nodes say.
import type { RedisAddress, RedisHost } from '../lib/service/store-address.ts'
import { StoreError } from '../lib/service/store-error.ts'
import { type RedisVariable, redisConnection } from './address.ts'
import { askOnce } from './patient-redis.ts'
import { nameOf, readClusterSlots, type ServerMap } from './slots.ts'

export interface ClusterQuestion {
  readonly address: RedisAddress
  readonly variable: RedisVariable
  readonly timeoutMs: number
  /** The masters as they were known last: those that the address names may be gone. */
  readonly known: readonly RedisHost[]
}

/** So many nodes are asked at once; the first answer counts. Another question asks others. */
const ASKED_AT_ONCE = 3

/** Throws a StoreError where there is no cluster. */
export async function findMasters({ address, variable, timeoutMs, known }: ClusterQuestion): Promise<ServerMap> {
  const hosts = new Map([...known, ...address.hosts].map(host => [nameOf(host), host]))
  const asked = shuffled([...hosts.values()]).slice(0, ASKED_AT_ONCE)
  const answers = asked.map(async host => {
    const answer = await askOnce(redisConnection(address, timeoutMs, host), 'CLUSTER', 'SLOTS')
    return readClusterSlots(answer, host)
  })
  try {
    return await Promise.any(answers)
  } catch (error) {
    const [first] = error instanceof AggregateError ? error.errors : [error]
    if (first instanceof Error && /^ERR .*cluster support disabled/.test(first.message)) {
      throw new StoreError(
        `${variable} names a Redis that is no cluster: write redis:// or rediss:// in the place of its scheme.`
      )
    }
    throw first
  }
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map(value => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value)
}
