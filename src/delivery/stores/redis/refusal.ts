import type { RedisAddress } from '../../../lib/service/store-address.ts'
import { StoreError } from '../../../lib/service/store-error.ts'
import { isOfCredentials } from '../../../redis/answers.ts'

/** A node of a cluster that shows no INFO, or of which INFO says nothing. */
const OF_A_CLUSTER = /^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b/

/** What an error of Redis means where records must not be kept there; undefined for any other. */
export function refusalOf(error: Error, topology: RedisAddress['topology']): StoreError | undefined {
  if (topology !== 'cluster' && OF_A_CLUSTER.test(error.message)) {
    return new StoreError(
      'STORE_URL names a node of a Redis Cluster: write redis+cluster:// or rediss+cluster:// in the place of its scheme.'
    )
  }
  if (!isOfCredentials(error)) return undefined
  return new StoreError(
    'STORE_URL names a Redis that refuses its user or password, or what the user has to do: EVAL, EVALSHA, EXISTS, TIME, ' +
      'TYPE, HMGET, HSET, HDEL, DEL and PEXPIRE on reply:*, and SELECT for another database than 0.'
  )
}
