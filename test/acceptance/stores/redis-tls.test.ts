// Records in a Redis behind TLS: who is not proved to be that Redis gets no record, and then no reply is sent.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Certificate, selfSigned } from '../../helpers/certificate.ts'
import { freePort, freePorts } from '../../helpers/free-port.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { clusterFor } from '../../helpers/redis-cluster.ts'
import { MASTER, startSentinel } from '../../helpers/redis-sentinel.ts'
import { BUS_ABOVE, needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { readiness, type ServiceEnv, startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

t.setTimeout(240_000)
const STORE_SECRET = 'a-store-secret-for-tests-of-40-bytes-xxx'
const KEYED = { 'idempotency-key': 'one-key' }
/** Longer than it takes to connect, and to be tried again a few times. */
const LONG_ENOUGH_MS = 2000

/** A Redis that shows this certificate, and what a service needs to find it and to trust its authority. */
async function startRedisBehindTls(t: Test, certificate: Certificate, trusted = certificate) {
  const folder = mkdtempSync(join(tmpdir(), 'redis-tls-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const tlsPort = await freePort()
  const redis = await redisFor(t, {
    'tls-port': `${tlsPort}`,
    'tls-cert-file': file('cert.pem', certificate.cert),
    'tls-key-file': file('key.pem', certificate.key),
    'tls-auth-clients': 'no'
  })
  const env: ServiceEnv = {
    STORE_URL: `rediss://localhost:${tlsPort}`,
    STORE_SECRET,
    NODE_EXTRA_CA_CERTS: file('ca.pem', trusted.cert)
  }
  return { redis, env }
}

t.test('a Redis with a certificate for its name, by a trusted authority, keeps records', needsRedis(), async t => {
  const { redis, env: storeEnv } = await startRedisBehindTls(t, selfSigned('localhost'))
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await startService(t, { ...env, ...storeEnv })

  const first = await postReply(service, { parentId, headers: KEYED })
  const again = await postReply(service, { parentId, headers: KEYED })

  t.same(await readiness(service), [200, []])
  t.equal(first.status, 201)
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  t.equal(again.text, first.text)
  t.equal(emulator.ledger.length, 1)
  t.not(await redis.command('DBSIZE'), 0, 'the record is in that Redis')
})

for (const [what, shown, trusted] of [
  ['for another name', selfSigned('other.test'), undefined],
  ['by an unknown authority', selfSigned('localhost'), selfSigned('localhost')]
] as const) {
  t.test(`a Redis with a certificate ${what} gets no record, and no reply is sent`, needsRedis(), async t => {
    const { redis, env: storeEnv } = await startRedisBehindTls(t, shown, trusted)
    const { emulator, env, parentId } = await startEmulator(t)
    const service = await startService(t, { ...env, ...storeEnv }, 'listening')
    await sleep(LONG_ENOUGH_MS)

    const answers = [await postReply(service, { parentId }), await postReply(service, { parentId, headers: KEYED })]

    t.same(await readiness(service), [503, ['store']])
    for (const answer of answers) expectProblem(t, answer, 'store-unavailable')
    t.same(emulator.ledger, [])
    t.equal(await redis.command('DBSIZE'), 0)
  })
}

t.test('sentinels and the nodes of a cluster are spoken to by TLS alone', needsRedis(), async t => {
  const certificate = selfSigned('localhost')
  const folder = mkdtempSync(join(tmpdir(), 'redis-tls-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(certificate)) writeFileSync(join(folder, `${name}.pem`), text)
  const cert = join(folder, 'cert.pem')
  const tls = {
    'tls-cert-file': cert,
    'tls-key-file': join(folder, 'key.pem'),
    'tls-ca-cert-file': cert,
    'tls-auth-clients': 'no'
  }
  const { emulator, env, parentId } = await startEmulator(t)

  const ofNode = { 'cluster-announce-hostname': 'localhost', 'cluster-preferred-endpoint-type': 'hostname' }
  // Of the two ports of a node the cluster counts from the one that speaks TLS.
  const nodePort = await freePorts(BUS_ABOVE)
  const cluster = await clusterFor(t, {
    masters: 1,
    settings: { ...tls, ...ofNode, 'tls-cluster': 'yes', 'tls-port': `${nodePort}` }
  })
  const masterPort = await freePort()
  const master = await redisFor(t, { ...tls, 'tls-port': `${masterPort}` })
  const sentinelPort = await freePort()
  const sentinel = await startSentinel(masterPort, {
    host: 'localhost',
    sentinelLines: [
      ...Object.entries(tls).map(([name, value]) => `${name} ${value}`),
      `tls-port ${sentinelPort}`,
      'tls-replication yes',
      'sentinel announce-hostnames yes'
    ]
  })
  t.teardown(() => sentinel.stop())

  for (const [url, server] of [
    [`rediss+cluster://localhost:${nodePort}`, cluster.masters[0]],
    [`rediss+sentinel://localhost:${sentinelPort}/${MASTER}`, master]
  ] as const) {
    const service = await startService(t, { ...env, STORE_URL: url, STORE_SECRET, NODE_EXTRA_CA_CERTS: cert })
    const headers = { 'idempotency-key': url }
    t.equal((await postReply(service, { parentId, headers })).status, 201)
    t.equal((await postReply(service, { parentId, headers })).headers.get('idempotent-replayed'), 'true')
    t.not(await server?.command('DBSIZE'), 0)
  }
  t.equal(emulator.ledger.length, 2)
})
