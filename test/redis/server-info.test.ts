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

/** Of Valkey 8.0.1, in part. */
const VALKEY = `# Server
redis_version:7.2.4
server_name:valkey
valkey_version:8.0.1
server_mode:standalone
run_id:42d81dc2706711868547a15cbbe8cdf54e02de3f
availability_zone:
maxmemory:0
maxmemory_policy:noeviction
# Persistence
loading:0
async_loading:0
aof_enabled:1
aof_rewrite_in_progress:0
aof_rewrite_scheduled:0
# Replication
role:master
connected_slaves:0
master_replid:2f1d9e3d4e5c0b8a7f6e5d4c3b2a190817263544
master_replid2:0000000000000000000000000000000000000000
master_repl_offset:0
# Cluster
cluster_enabled:0
`

t.test('Valkey says the same in its own words', t => {
  t.strictSame(readServerFacts(VALKEY.replaceAll('\n', '\r\n')), {
    runId: '42d81dc2706711868547a15cbbe8cdf54e02de3f',
    uptimeMs: 0,
    isPersistent: true,
    hasWholeLog: true,
    replicas: 0,
    hasForeignHistory: false,
    replicationId: '2f1d9e3d4e5c0b8a7f6e5d4c3b2a190817263544'
  })
  const other = VALKEY.replace('server_mode:standalone', 'server_mode:cluster').replace('connected_slaves:0', '')
  t.match(readServerFacts(other), { refusal: IS_CLUSTER, replicas: Number.POSITIVE_INFINITY })
  t.end()
})

t.test('a log that is written anew, and a history of another server, are noticed', t => {
  const changed = (line: string, to: string) => readServerFacts(VALKEY.replace(line, to))
  t.equal(changed('aof_rewrite_in_progress:0', 'aof_rewrite_in_progress:1').hasWholeLog, false)
  t.equal(changed('aof_enabled:1', 'aof_enabled:0').hasWholeLog, false)
  t.equal(changed('master_replid2:0000', 'master_replid2:00a0').hasForeignHistory, true)
  t.equal(
    changed('master_replid:2f1d', 'master_replid:2F1D').replicationId,
    '',
    'nothing is believed that looks otherwise'
  )
  t.equal(changed('connected_slaves:0', 'connected_slaves:2').replicas, 2)
  t.end()
})

t.test('a single server is taken, also where INFO says nothing of its mode', t => {
  for (const line of ['redis_mode:standalone', 'server_mode:standalone', 'cluster_enabled:0', 'uptime_in_seconds:1']) {
    t.equal(readServerFacts(`${RUN}\r\n${line}\r\n`).refusal, undefined, line)
  }
  t.end()
})
