import type { RedisAddress } from '../../../lib/service/store-address.ts'
import { redisServers } from '../../../redis/open-servers.ts'
import { ownersUnavailable, type UidOwner, type UidOwners } from './uid-owners.ts'

/** No record of a reply is called so: their names have no colon. */
const PREFIX = 'reply:uid:'
const COMMAND_TIMEOUT_MS = 1000

/**
 * KEYS: the UID. ARGV: the user as issuer and subject, then the former owner, where it may be replaced. Answers who owns
 * it now, or nothing where the key holds something else. The commands are those that records need, too.
 */
const OWN = `
local function owner() return redis.pcall('HMGET', KEYS[1], 'issuer', 'subject') end
local found = owner()
if found.err then return {} end
local isFree = not found[1] and not found[2]
local isFormer = ARGV[3] and found[1] == ARGV[3] and found[2] == ARGV[4]
if isFree or isFormer then
  redis.call('HSET', KEYS[1], 'issuer', ARGV[1], 'subject', ARGV[2])
  found = owner()
end
return { found[1], found[2] }
`

/**
 * Owners that all instances share, without an expiry. `onConnect` is told of every new connection: behind it may be a
 * server that has lost some.
 */
export async function createRedisUidOwners(address: RedisAddress, onConnect: () => void): Promise<UidOwners> {
  const servers = redisServers({
    variable: 'STORE_URL',
    address,
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
    // Nobody has this UID; only a server that takes writes says so.
    handshake: async ({ redis }, _isSame, keyAt) => {
      await redis.del(keyAt(`${PREFIX}:`))
      onConnect()
    }
  })
  await servers.open()

  return {
    async own(uid, user, former) {
      const args = [user, ...(former ? [former] : [])].flatMap(({ issuer, subject }) => [issuer, subject])
      try {
        const key = PREFIX + uid
        return ownerIn(await servers.run(key, redis => redis.eval(OWN, 1, key, ...args)))
      } catch {
        throw ownersUnavailable('uid-owners')
      }
    },
    isReady: () => servers.isReady(),
    close: async () => servers.close()
  }
}

function ownerIn(answer: unknown): UidOwner {
  const [issuer, subject] = Array.isArray(answer) ? answer : []
  if (typeof issuer === 'string' && typeof subject === 'string') return { issuer, subject }
  throw new Error('the stored owner is unreadable')
}
