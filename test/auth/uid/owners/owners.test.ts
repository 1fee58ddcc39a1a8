// What all stores of owners promise, one and several processes at a time.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createMemoryUidOwners } from '../../../../src/auth/uid/owners/memory.ts'
import { openUidOwners } from '../../../../src/auth/uid/owners/open.ts'
import { rememberOwners } from '../../../../src/auth/uid/owners/remembered.ts'
import type { UidOwner, UidOwners } from '../../../../src/auth/uid/owners/uid-owners.ts'
import { newSchema } from '../../../delivery/stores/postgres/movable-clock.ts'
import { openPostgresStore } from '../../../delivery/stores/postgres/records.ts'
import { startPostgres, withoutPostgres } from '../../../helpers/postgres-server.ts'
import { needsRedis, startRedis, withoutRedis } from '../../../helpers/redis-server.ts'
import { seedOf } from '../../../helpers/seed.ts'
import { postgresAddress, storeAddress } from '../../../lib/addresses.ts'

const seed = seedOf(t)
const redis = withoutRedis() === undefined ? await startRedis() : undefined
if (redis) t.teardown(() => redis.stop())
const postgres = withoutPostgres() === undefined ? await startPostgres() : undefined
if (postgres) t.teardown(() => postgres.stop())

const alice: UidOwner = { issuer: 'urn:test', subject: 'Alice' }
const ALICE: UidOwner = { issuer: 'urn:test', subject: 'ALICE' }
const ofOther: UidOwner = { issuer: 'urn:other', subject: 'Alice' }

interface Kit {
  /** Owners as another process has them. */
  open(): Promise<UidOwners>
  readonly isShared: boolean
}

/** An empty store of that kind. */
async function kitOf(t: Test, kind: 'memory' | 'file' | 'redis' | 'postgres'): Promise<Kit> {
  const opened: UidOwners[] = []
  if (kind === 'postgres') return postgresKit(t)
  t.teardown(async () => void (await Promise.all(opened.map(owners => owners.close()))))
  let text = 'memory:'
  if (kind === 'file') {
    const folder = mkdtempSync(join(tmpdir(), 'owners-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    text = `file:${join(folder, 'records.db')}`
  } else if (kind === 'redis') {
    await redis?.command('FLUSHALL')
    text = redis?.url ?? ''
  }
  return {
    isShared: kind !== 'memory',
    async open() {
      const owners = await openUidOwners(storeAddress(text))
      opened.push(owners)
      return owners
    }
  }
}

/** Beside records, on their connections, which end with them. */
async function postgresKit(t: Test): Promise<Kit> {
  const schema = newSchema()
  return {
    isShared: true,
    async open() {
      const { store } = await openPostgresStore(t, postgres?.url ?? '', { schema })
      const owners = await openUidOwners(postgresAddress(postgres?.url ?? ''), store.postgres)
      return { own: owners.own, isReady: owners.isReady, close: () => store.close() }
    }
  }
}

const SKIPS = { memory: undefined, file: undefined, redis: withoutRedis(), postgres: withoutPostgres() }
for (const kind of ['memory', 'file', 'redis', 'postgres'] as const) {
  const skip = SKIPS[kind]
  t.test(`owners in ${kind}`, skip === undefined ? {} : { skip }, async t => {
    t.test('the first user owns a UID, and every other one is told who does', async t => {
      const owners = await (await kitOf(t, kind)).open()
      t.same(await owners.own('alice', alice), alice)
      t.same(await owners.own('alice', ALICE), alice)
      t.same(await owners.own('alice', ofOther), alice)
      t.same(await owners.own('alice', alice), alice)
      t.same(await owners.own('bob', ofOther), ofOther, 'another UID is another owner')
      t.ok(owners.isReady())
    })

    t.test('whom this process knows is told in the same turn', async t => {
      const owners = await (await kitOf(t, kind)).open()
      await owners.own('alice', alice)
      t.same(owners.own('alice', alice), alice)
      t.same(owners.own('alice', ALICE), alice)
    })

    t.test('a former owner is replaced, while it still is the owner', async t => {
      const owners = await (await kitOf(t, kind)).open()
      await owners.own('alice', alice)
      t.same(await owners.own('alice', ofOther, ALICE), alice, 'it never was')
      t.same(await owners.own('alice', ofOther, alice), ofOther)
      t.same(await owners.own('alice', ALICE, alice), ofOther, 'it is no longer')
      t.same(await owners.own('alice', ofOther), ofOther)
      t.same(await owners.own('new', alice, ALICE), alice, 'a UID without an owner has no former one')
    })

    t.test('names are kept as they are', async t => {
      const owners = await (await kitOf(t, kind)).open()
      const subject = `"'\\|: ;--\u{1f600}é${'x'.repeat(1000)}`
      t.same(await owners.own('u', { issuer: '', subject }), { issuer: '', subject })
      t.same(await owners.own('__proto__', alice), alice)
      t.same(await owners.own('constructor', ALICE), ALICE)
    })

    t.test('of any users that come at once in any order, each UID has one owner, in every process', async t => {
      const { open, isShared } = await kitOf(t, kind)
      const processes = await Promise.all(Array.from({ length: isShared ? 3 : 1 }, open))
      let round = 0
      const call = fc.record({ process: fc.nat(processes.length - 1), uid: fc.nat(2), user: fc.nat(4) })
      await fc.assert(
        fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 30 }), async calls => {
          round++
          const answers = await Promise.all(
            calls.map(async ({ process, uid, user }) => {
              const owner = await processes[process]?.own(`u${round}-${uid}`, { issuer: 'i', subject: `s${user}` })
              return { uid, owner: owner?.subject ?? 'nobody', user: `s${user}` }
            })
          )
          return [0, 1, 2].every(uid => {
            const ofUid = answers.filter(answer => answer.uid === uid)
            const owners = new Set(ofUid.map(({ owner }) => owner))
            return owners.size <= 1 && (ofUid.length === 0 || ofUid.some(({ user }) => owners.has(user)))
          })
        }),
        { seed, numRuns: 60 }
      )
    })

    t.test('of two processes that replace one owner, one does', async t => {
      const { open, isShared } = await kitOf(t, kind)
      const one = await open()
      const other = isShared ? await open() : one
      for (let round = 0; round < 20; round++) {
        await one.own(`u${round}`, alice)
        const [left, right] = await Promise.all([
          one.own(`u${round}`, ALICE, alice),
          other.own(`u${round}`, ofOther, alice)
        ])
        t.same(left, right)
        t.not(left.subject + left.issuer, alice.subject + alice.issuer)
      }
    })

    if (kind === 'memory') return
    t.test('an owner outlives the process', async t => {
      const { open } = await kitOf(t, kind)
      const before = await open()
      await before.own('alice', alice)
      await before.close()
      t.same(await (await open()).own('alice', ALICE), alice)
    })

    t.test('a known user costs no look at the store', async t => {
      const { open } = await kitOf(t, kind)
      const owners = await open()
      await owners.own('alice', alice)
      await owners.close()
      t.same(await owners.own('alice', alice), alice)
      await t.rejects(async () => owners.own('bob', alice), {
        code: 'store-unavailable',
        options: { reason: 'uid-owners' }
      })
    })
  })
}

t.test('at its bound the memory refuses who is new, and forgets nobody', async t => {
  const owners = createMemoryUidOwners(10 * 300)
  const names = Array.from({ length: 50 }, (_, index) => `user-${index}`)
  const kept: string[] = []
  for (const name of names) {
    try {
      await owners.own(name, { issuer: 'i', subject: name })
      kept.push(name)
    } catch (error) {
      t.match(error, { code: 'store-unavailable', options: { reason: 'uid-owners-full' } })
    }
  }
  t.ok(kept.length > 5 && kept.length < 50)
  for (const name of kept) t.match(owners.own(name, { issuer: 'i', subject: 'x' }), { subject: name })
})

t.test('a store that may have lost owners is asked again, and answers from before say nothing', async t => {
  let owner = alice
  let release = (): void => undefined
  const store = { own: async () => owner, isReady: () => true, close: async () => undefined }
  const owners = rememberOwners(store)
  await owners.own('alice', alice)
  owner = ALICE
  t.same(owners.own('alice', alice), alice)
  owners.forget()
  t.same(await owners.own('alice', alice), ALICE)

  const slow = rememberOwners({
    ...store,
    own: () => new Promise<UidOwner>(resolve => (release = () => resolve(alice)))
  })
  const asked = slow.own('alice', alice)
  slow.forget()
  release()
  t.same(await asked, alice)
  t.type(slow.own('alice', alice), Promise, 'it is asked about once more')
  release()
})

t.test('a Redis that was emptied while it was away: the owner who comes first owns it anew', needsRedis(), async t => {
  if (!redis) return
  await redis.command('FLUSHALL')
  const owners = await openUidOwners(storeAddress(redis.url))
  t.teardown(() => owners.close())
  await owners.own('alice', alice)
  await redis.command('DEL', 'reply:uid:alice')
  t.same(owners.own('alice', ALICE), alice, 'this process knows')
  await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')
  for (let round = 0; round < 200; round++) {
    const owner = await Promise.resolve(owners.own('alice', ALICE)).catch(() => alice)
    if (owner.subject === 'ALICE') break
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  t.same(await owners.own('alice', alice), ALICE)
})

t.test('a key of another type is nobody and breaks nothing', needsRedis(), async t => {
  if (!redis) return
  await redis.command('FLUSHALL')
  await redis.command('SET', 'reply:uid:alice', 'x')
  await redis.command('HSET', 'reply:uid:bob', 'issuer', 'x')
  const owners = await openUidOwners(storeAddress(redis.url))
  t.teardown(() => owners.close())
  await t.rejects(async () => owners.own('alice', alice), { code: 'store-unavailable' })
  await t.rejects(async () => owners.own('bob', alice), { code: 'store-unavailable' })
  t.same(await owners.own('carol', alice), alice)
})

t.test('who may work with records may keep owners: no further right is needed', needsRedis(), async t => {
  if (!redis) return
  const rights = [
    '+eval',
    '+evalsha',
    '+hmget',
    '+hset',
    '+hdel',
    '+exists',
    '+pexpire',
    '+del',
    '+type',
    '+time',
    '+info'
  ]
  await redis.command('ACL', 'SETUSER', 'replies', 'on', '>p', '~reply:*', ...rights)
  const owners = await openUidOwners(storeAddress(redis.url.replace('//', '//replies:p@')))
  t.teardown(() => owners.close())
  t.same(await owners.own('dora', alice), alice)
})
