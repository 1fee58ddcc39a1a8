// What the operator is told of spans that are lost.
import t from 'tap'
import type { ServiceEvent } from '../../src/observability/events.ts'
import { openTraces } from '../../src/parts/telemetry/traces.ts'
import { startJsonServer } from '../helpers/json-server.ts'
import { until } from '../helpers/until.ts'

const HOUR_MS = 3_600_000
const FETCH = { name: 'key-fetch', issuer: 'https://issuer.test', durationMs: 0, result: 'ok' } as const

t.test('lost spans are told the first time and then once an hour, each of them once', async t => {
  const receiver = await startJsonServer(t)
  receiver.answerWith({ message: 'c4n4ry' }, 400)
  const config = {
    traces: {
      url: receiver.url,
      headers: new Map(),
      timeoutMs: 300,
      compression: 'none',
      sampler: 'always_on',
      ratio: 1,
      trust: 'link',
      serviceName: 'test',
      resource: {}
    },
    cometchat: { origin: 'https://1234.api-eu.cometchat.io' },
    instance: 'test',
    proxy: undefined
  } as unknown as Parameters<typeof openTraces>[0]
  const told: ServiceEvent[] = []
  const time = { ms: performance.now() }
  const traces = await openTraces(config, {
    clock: { monotonic: () => time.ms },
    emit: event => void told.push(event),
    tripwire: { cut: text => text }
  })
  const lose = async (spans: number): Promise<void> => {
    const before = receiver.asked.length
    for (let count = 0; count < spans; count++) traces?.onEvent(FETCH)
    await until(() => receiver.asked.length > before)
  }

  await lose(1)
  await until(() => told.length > 0)
  await lose(2)
  receiver.answer((_asked, response) => {
    time.ms += HOUR_MS
    response.writeHead(400).end()
  })
  await lose(3)
  await traces?.close()

  t.strictSame(told, [
    { name: 'spans-unsent', reason: 'status-400', spans: 1 },
    { name: 'spans-unsent', reason: 'status-400', spans: 5 }
  ])
})
