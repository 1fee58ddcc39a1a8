import t from 'tap'
import { needsPostgres, postgresFor } from '../../../helpers/postgres-server.ts'
import { testStore } from '../conformance.ts'
import { makePostgresKit } from './records.ts'

t.setTimeout(240_000)

t.test('postgres: does what every store does', needsPostgres(), async t => {
  const postgres = await postgresFor(t)
  testStore(t, t => makePostgresKit(t, postgres))
})
