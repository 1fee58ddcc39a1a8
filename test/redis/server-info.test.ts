// What INFO says of a server, whichever vendor wrote it.
import t from 'tap'
import { readServerFacts } from '../../src/redis/server-info.ts'

const RUN = 'run_id:0123456789abcdef0123456789abcdef01234567'
const IS_CLUSTER = /^STORE_URL names a Redis in cluster mode/

t.test('a cluster is refused by any of the names that its mode has', t => {
  for (const line of ['redis_mode:cluster', 'server_mode:cluster', 'redis_mode:standalone\r\ncluster_enabled:1']) {
    t.match(readServerFacts(`# Server\r\n${RUN}\r\n${line}\r\n`).refusal, IS_CLUSTER, line)
  }
  t.match(readServerFacts('redis_mode:sentinel\r\n').refusal, /^STORE_URL names a Redis in sentinel mode/)
  t.end()
})

t.test('a single server is taken, also where INFO says nothing of its mode', t => {
  for (const line of ['redis_mode:standalone', 'server_mode:standalone', 'cluster_enabled:0', 'uptime_in_seconds:1']) {
    t.equal(readServerFacts(`${RUN}\r\n${line}\r\n`).refusal, undefined, line)
  }
  t.end()
})
