// Where records are, as the environment says it: what belongs to one kind of store only is refused beside another.
import t from 'tap'
import type { Environment } from '../../src/config/env-reader.ts'
import { jwt, loadedFrom, problemsOf } from './ways-to-sign-in.ts'

const IN_POSTGRES = {
  STORE_URL: 'postgres://me:secret@db.test/replies',
  STORE_SECRET: 'a-store-secret-of-at-least-32-bytes'
}

t.test('a Postgres has a schema and a word on its failovers, and both have defaults', async t => {
  for (const [change, expected] of [
    [{}, { schema: 'thread_reply_bff', failover: 'detect' }],
    [
      { STORE_SCHEMA: '', STORE_FAILOVER: '' },
      { schema: 'thread_reply_bff', failover: 'detect' }
    ],
    [
      { STORE_SCHEMA: 'replies_2', STORE_FAILOVER: 'lossless' },
      { schema: 'replies_2', failover: 'lossless' }
    ],
    [{ STORE_SCHEMA: `_${'x'.repeat(62)}` }, { schema: `_${'x'.repeat(62)}` }]
  ] as const) {
    t.match(loadedFrom({ ...jwt, ...IN_POSTGRES, ...change }), {
      delivery: { store: { kind: 'postgres', ...expected } }
    })
  }
})

t.test('what is none is refused in a sentence that names the variable, and not repeated', async t => {
  const schema = 'STORE_SCHEMA must be a name of small letters, digits and underscores that does not begin with pg_.'
  for (const [change, problem] of [
    ...['Replies', 'my-replies', '2nd', 'pg_replies', 'a b', 'public; DROP TABLE x', 'ü', 'x'.repeat(64)].map(
      name => [{ STORE_SCHEMA: name }, schema] as const
    ),
    [{ STORE_FAILOVER: 'none' }, 'STORE_FAILOVER must be one of: detect, lossless.'],
    [{ STORE_URL: 'postgres://db.test/replies' }, 'STORE_URL names no user: postgres://user:password@host/database.'],
    [
      { STORE_URL: 'postgress://me@db.test/replies' },
      'STORE_URL must be memory:, file:PATH, redis(s)://, redis(s)+sentinel://, redis(s)+cluster:// or postgres://.'
    ]
  ] as const) {
    t.same(problemsOf({ ...jwt, ...IN_POSTGRES, ...change }), [problem], JSON.stringify(change))
  }
})

t.test('of another store they say nothing, so they are refused there', async t => {
  const beside = (change: Environment): readonly string[] =>
    problemsOf({ ...jwt, STORE_SECRET: IN_POSTGRES.STORE_SECRET, ...change })
  for (const STORE_URL of ['memory:', 'file:/data/x.db', 'redis://127.0.0.1', undefined]) {
    t.same(beside({ STORE_URL, STORE_SCHEMA: 'x' }), ['STORE_SCHEMA must be set with a STORE_URL of postgres:// only.'])
    t.same(beside({ STORE_URL }), [])
  }
  for (const STORE_URL of ['memory:', 'file:/data/x.db', undefined]) {
    t.same(beside({ STORE_URL, STORE_FAILOVER: 'lossless', STORE_WAIT_REPLICAS: '1' }), [
      'STORE_FAILOVER must be set with a STORE_URL of redis(s):// or postgres:// only.',
      'STORE_WAIT_REPLICAS must be set with a STORE_URL of redis(s):// only.'
    ])
  }
  t.same(problemsOf({ ...jwt, ...IN_POSTGRES, STORE_WAIT_REPLICAS: '1' }), [
    'STORE_WAIT_REPLICAS must be set with a STORE_URL of redis(s):// only.'
  ])
})

t.test('what is said of the failovers of a Redis has defaults, and is refused where it is none', async t => {
  const ofRedis = { ...jwt, STORE_SECRET: IN_POSTGRES.STORE_SECRET, STORE_URL: 'redis://127.0.0.1' }
  for (const [change, promise] of [
    [{}, { failover: 'detect', waitReplicas: 0 }],
    [
      { STORE_FAILOVER: 'lossless', STORE_WAIT_REPLICAS: '2' },
      { failover: 'lossless', waitReplicas: 2 }
    ]
  ] as const) {
    t.match(loadedFrom({ ...ofRedis, ...change }), { delivery: { promise } })
  }
  for (const value of ['-1', '17', '1.5', 'all', '1e1']) {
    t.match(problemsOf({ ...ofRedis, STORE_WAIT_REPLICAS: value }), [/^STORE_WAIT_REPLICAS must be /], value)
  }
})
