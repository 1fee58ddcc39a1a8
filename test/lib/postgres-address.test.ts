// postgres:// as a value: what is one, what its TLS is, and what is said of one that is none.
import { inspect } from 'node:util'
import t from 'tap'
import { readPostgresAddress } from '../../src/lib/service/postgres-address.ts'
import { postgresAddress } from './addresses.ts'

t.test('user, hosts, database and options are read', async t => {
  t.match(readPostgresAddress('postgresql://u%40x:p%2F%3Aw@db-1,[::1]:7000,db-3:5433/re%2Fplies?sslmode=verify-ca'), {
    hosts: [
      { host: 'db-1', port: 5432 },
      { host: '::1', port: 7000 },
      { host: 'db-3', port: 5433 }
    ],
    username: 'u@x',
    database: 're/plies',
    tls: 'verify-ca',
    schema: 'thread_reply_bff',
    failover: 'detect'
  })
  t.equal(postgresAddress('postgres://u:p%2F%3Aw@h').password?.reveal(), 'p/:w')
  t.equal(postgresAddress('postgres://u:a:b@h').password?.reveal(), 'a:b')
  t.equal(postgresAddress('postgres://u@h').database, 'u', 'as libpq has it')
  t.match(postgresAddress('postgres://u@/db?host=/run/postgresql').hosts, [{ host: '/run/postgresql', port: 5432 }])
  t.match(postgresAddress('postgres://u@%2Frun%2Fpg:7000/db').hosts, [{ host: '/run/pg', port: 7000 }])
  const common = 'sslmode=require&channel_binding=prefer&target_session_attrs=read-write&pgbouncer=true'
  t.match(postgresAddress(`postgres://u@h/db?${common}`), { tls: 'require' })
})

t.test('TLS is complete unless it is said otherwise, or nothing leaves the machine', async t => {
  for (const [hosts, tls] of [
    ['db.example.com', 'verify-full'],
    ['127.0.0.1,db', 'verify-full'],
    ['127.0.0.1', 'disable'],
    ['localhost,[::1]', 'disable'],
    ['%2Frun', 'disable']
  ] as const) {
    t.equal(postgresAddress(`postgres://u@${hosts}/db`).tls, tls, hosts)
  }
  t.equal(postgresAddress('postgres://u@localhost/db?sslmode=verify-full').tls, 'verify-full')
  t.equal(postgresAddress('postgres://u@h/db?sslrootcert=/ca.pem').rootCertFile, '/ca.pem')
})

t.test('what is none is told in words, without what it holds', async t => {
  for (const [text, sentence] of [
    ['postgres:', /^is not postgres:/],
    ['postgres://', /^is not postgres:/],
    ['postgres://hunter2@', /^is not postgres:/],
    ['postgres://u@h:99999/hunter2', /^is not postgres:/],
    ['postgres://u:hunter2%zz@h', /^is not postgres:/],
    ['postgres://u@h/hunter2/x', /^is not postgres:/],
    ['postgres://u@h,,h2/hunter2', /^is not postgres:/],
    ['postgres://h/hunter2', /^names no user/],
    ['postgres://u@h/x?sslmode=hunter2', /sslmode that is none of disable, require/],
    ['postgres://u@h/x?sslmode=prefer', /sslmode/],
    ['postgres://u@h/x?options=hunter2', /^has the option options/],
    ['postgres://u@h/x?hunter2%20=1', /^has the option a word/],
    ['postgres://u@h/x?target_session_attrs=standby', /target_session_attrs/]
  ] as const) {
    const answer = readPostgresAddress(text)
    t.match(answer, sentence, text)
    t.notMatch(answer, 'hunter2')
  }
  const address = postgresAddress('postgres://u:hunter2@h')
  for (const shown of [JSON.stringify(address), inspect(address)]) t.notMatch(shown, 'hunter2')
})
