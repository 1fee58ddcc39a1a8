// Where the master is, as the sentinels say (redis.io, "Guidelines for Redis clients with support for Redis Sentinel").
import { groupBy } from '../lib/node20/group-by.ts'
import type { RedisAddress, RedisHost } from '../lib/service/store-address.ts'
import { StoreError } from '../lib/service/store-error.ts'
import { type RedisVariable, redisConnection } from './address.ts'
import { isOfCredentials } from './answers.ts'
import { askOnce } from './patient-redis.ts'
import { nameOf, oneServer, type ServerMap, StoreTrouble } from './slots.ts'

/** What is asked for at the addresses of sentinels. */
export interface SentinelQuestion {
  readonly address: RedisAddress
  readonly variable: RedisVariable
  readonly timeoutMs: number
}

/**
 * Asks every sentinel which is the master. More than half of those that are listed decide, or all that answer. Throws a
 * StoreTrouble where they disagree, and a StoreError where they cannot be asked about this master at all.
 */
export async function findMaster({ address, variable, timeoutMs }: SentinelQuestion): Promise<ServerMap> {
  const { hosts } = address
  const answers = await Promise.allSettled(hosts.map(host => ask(address, host, timeoutMs)))
  const named = answers.flatMap(answer => (answer.status === 'fulfilled' && answer.value ? [answer.value] : []))
  const votes = groupBy(named, nameOf)
  const most = [...votes.values()].sort((a, b) => b.length - a.length)[0]
  const [found] = most ?? []
  if (found && most && (votes.size === 1 || most.length > hosts.length / 2)) return oneServer(found)
  if (found) {
    throw new StoreTrouble(
      `${variable} names sentinels that disagree which server is the master: nothing is sent until more than half of those ` +
        'that it lists agree; list all of them.'
    )
  }
  const failures = answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason] : []))
  if (failures.length < answers.length) {
    throw new StoreError(`${variable} names a master that its sentinels do not know: change the word after the hosts.`)
  }
  if (failures.some(isOfNoSentinel)) {
    throw new StoreError(
      `${variable} names a Redis that is no sentinel: name the sentinels, or write redis:// or rediss:// in the place of its ` +
        'scheme, without a master at its end.'
    )
  }
  if (failures.some(isOfCredentials)) {
    throw new StoreError(
      `${variable} names sentinels that refuse its sentinel_username or sentinel_password, or need them: write them at its ` +
        'end, …/master?sentinel_password=….'
    )
  }
  throw failures[0]
}

/** A server that keeps data knows no such command. */
function isOfNoSentinel(error: unknown): boolean {
  return error instanceof Error && /^ERR unknown command.*sentinel/i.test(error.message)
}

/** Undefined where a sentinel does not know that master. */
async function ask(address: RedisAddress, host: RedisHost, timeoutMs: number): Promise<RedisHost | undefined> {
  const { master = '', username: _username, password: _password, ...rest } = address
  const { sentinelUsername, sentinelPassword } = address
  const credentials = {
    ...(sentinelUsername !== undefined && { username: sentinelUsername }),
    ...(sentinelPassword && { password: sentinelPassword })
  }
  const connection = redisConnection({ ...rest, ...credentials, database: 0 }, timeoutMs, host)
  const answer = await askOnce(connection, 'SENTINEL', 'get-master-addr-by-name', master)
  if (answer === null) return undefined
  const [name, port] = Array.isArray(answer) ? answer.map(String) : []
  if (!name || !Number(port)) throw new Error('not an answer of a sentinel')
  return { host: name, port: Number(port) }
}
