import t from 'tap'
import { Breaker } from '../../../src/upstream/health/breaker.ts'

function opened(): Breaker {
  const breaker = new Breaker()
  for (let count = 0; count < 8; count++) breaker.failed('unreachable', 1000)
  return breaker
}

t.test('it opens at the eighth failure in a row, and any answer between them begins anew', async t => {
  const breaker = new Breaker()
  const fail = () => breaker.failed('silent', 0)
  for (let count = 0; count < 7; count++) t.notOk(fail())
  t.equal(breaker.outage, undefined)
  t.notOk(breaker.answered(), 'it was closed')
  for (let count = 0; count < 7; count++) t.notOk(fail())
  t.ok(fail())
  t.equal(breaker.outage, 'silent')
  t.notOk(breaker.failed('unreachable', 0), 'it opens once')
  t.equal(breaker.outage, 'unreachable', 'and says what it is now')
})

t.test('an answer closes it, whoever gets it', async t => {
  const breaker = opened()
  t.ok(breaker.answered())
  t.equal(breaker.outage, undefined)
  t.notOk(breaker.answered())
})

t.test('probes go one at a time, and half a second apart', async t => {
  const breaker = opened()
  t.notOk(breaker.takeProbe(1099))
  t.ok(breaker.takeProbe(1100))
  t.notOk(breaker.takeProbe(50_000), 'the first is still under way')
  breaker.probeEnded(50_000)
  t.notOk(breaker.takeProbe(50_499))
  t.ok(breaker.takeProbe(50_500))
})

t.test('each probe that fails may take longer, up to three seconds; after an outage it begins anew', async t => {
  const breaker = opened()
  const patience = [1, 2, 3, 4].map(() => {
    const { patienceMs } = breaker
    breaker.probeEnded(0)
    return patienceMs
  })
  t.same(patience, [1000, 2000, 3000, 3000])
  breaker.answered()
  t.equal(breaker.patienceMs, 1000)
})
