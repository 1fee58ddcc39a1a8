import t from 'tap'
import { PooledIds } from '../../src/observability/traces/pooled-ids.ts'

t.test('ids have the digits of W3C Trace Context, and none comes twice', async t => {
  const ids = new PooledIds()
  const seen = new Set<string>()
  for (let count = 0; count < 5000; count++) {
    const [traceId, spanId] = [ids.generateTraceId(), ids.generateSpanId()]
    if (!/^[0-9a-f]{32}$/.test(traceId) || !/^[0-9a-f]{16}$/.test(spanId)) t.fail(`${traceId} ${spanId}`)
    seen.add(traceId).add(spanId)
  }
  t.equal(seen.size, 10_000)
})
