// What proves that a shard has come to another master whole, and what does not.
import t from 'tap'
import { ShardMoves } from '../../../../src/delivery/stores/redis/moves.ts'
import { Shards } from '../../../../src/delivery/stores/redis/shards.ts'
import { ServerRun } from '../../../../src/delivery/stores/server-run.ts'
import type { RedisClient } from '../../../../src/redis/client.ts'
import { readServerFacts, type ServerFacts } from '../../../../src/redis/server-info.ts'

const SECOND_MS = 1000
const [shard] = new Shards(true, () => new ServerRun(() => 0, 0)).all

/** A master that has run for an hour, or as it is said; it no longer has what is asked for. */
function master(run: string, change: Partial<ServerFacts> = {}, owns = false) {
  const exists = () => (owns ? Promise.resolve(1) : Promise.reject(new Error('MOVED 1 h:1')))
  const client = { redis: { exists } } as unknown as RedisClient
  const facts = { ...readServerFacts(`run_id:${run}\r\nuptime_in_seconds:3600\r\nrole:master\r\n`), ...change }
  return { client, facts }
}

type Master = ReturnType<typeof master>

interface Course {
  readonly from: Master
  readonly to: Master
  /** Whether it had shards before. */
  readonly isNew?: boolean
  readonly third?: Master
  /** It went to the third one before it was greeted. */
  readonly goesOn?: boolean
}

async function originOf({ from, to, isNew = false, third, goesOn = false }: Course): Promise<string> {
  const all = [from, to, ...(third ? [third] : [])]
  let nowMs = 0
  const moves = new ShardMoves({
    factsOf: async client => all.find(one => one.client === client)?.facts,
    nowMs: () => nowMs
  })
  const others = new Shards(true, () => new ServerRun(() => 0, 0)).all
  const where = (client: RedisClient) =>
    new Map([
      [shard, client],
      ...(isNew ? [] : [[others[1] ?? shard, to.client] as const]),
      ...(third ? [[others[2] ?? shard, third.client] as const] : [])
    ])
  moves.see(where(from.client), nowMs)
  nowMs += 5 * SECOND_MS
  if (goesOn && third) moves.see(where(third.client), nowMs)
  moves.see(where(to.client), nowMs)
  nowMs += SECOND_MS
  return moves.wholeFrom(shard, to.client, to.facts)
}

t.test('a shard comes whole from a master that still runs, to one that does or that is new', async t => {
  t.equal(await originOf({ from: master('a'), to: master('b') }), 'a')
  t.equal(await originOf({ from: master('a'), to: master('b', { hasForeignHistory: true }) }), 'a', 'promoted long ago')
  t.equal(await originOf({ from: master('a'), to: master('b'), isNew: true }), 'a')
  t.equal(await originOf({ from: master('a'), to: master('b'), third: master('c') }), 'a')
})

const RESTARTED = { uptimeMs: 2 * SECOND_MS }
const UNPROVED: Readonly<Record<string, Course>> = {
  'its master was restarted': { from: master('a', RESTARTED), to: master('b') },
  'its master is a replica now': { from: master('a', { obstacle: 'READONLY' }), to: master('b') },
  'its master does not know of it': { from: master('a', {}, true), to: master('b') },
  'its master does not say who it is': { from: master('', {}), to: master('b') },
  'the other one was restarted': { from: master('a'), to: master('b', RESTARTED) },
  'the other one is new, and was a replica': {
    from: master('a'),
    to: master('b', { hasForeignHistory: true }),
    isNew: true
  },
  'the other one is new, and began later': { from: master('a'), to: master('b', RESTARTED), isNew: true },
  'any master was restarted': { from: master('a'), to: master('b'), third: master('c', RESTARTED) },
  'it was elsewhere in between': { from: master('a'), to: master('b'), third: master('c'), goesOn: true }
}
for (const [title, course] of Object.entries(UNPROVED)) {
  t.test(`nothing is proved where ${title}`, async t => t.equal(await originOf(course), ''))
}

t.test('a shard that was greeted where it is has moved no more', async t => {
  const [from, to] = [master('a'), master('b')]
  const moves = new ShardMoves({ factsOf: async () => from.facts, nowMs: () => 0 })
  t.equal(await moves.wholeFrom(shard, to.client, to.facts), '')
  moves.see(new Map([[shard, from.client]]), 0)
  moves.see(new Map([[shard, to.client]]), 0)
  t.equal(await moves.wholeFrom(shard, to.client, to.facts), 'a')
  moves.arrived(shard)
  t.equal(await moves.wholeFrom(shard, to.client, to.facts), '')
})
