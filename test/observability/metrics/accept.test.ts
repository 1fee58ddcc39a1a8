import t from 'tap'
import { formatFor } from '../../../src/observability/metrics/accept.ts'

const OPEN = 'application/openmetrics-text'
const PROMETHEUS_2 = `${OPEN};version=1.0.0,${OPEN};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`
const PROMETHEUS_3 = `${OPEN};version=1.0.0;escaping=allow-utf-8;q=0.5,${OPEN};version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1`

const ASKED_FOR: readonly string[] = [
  PROMETHEUS_2,
  PROMETHEUS_3,
  OPEN,
  'Application/OpenMetrics-Text',
  `${OPEN}; version=1.0.0; charset=utf-8`,
  `${OPEN};version="1.0.0"`,
  `${OPEN};q=0.5, text/plain;q=0.4`,
  `text/plain, ${OPEN}`,
  `text/plain;q=0, ${OPEN};q=0.001`,
  `;;;,${OPEN},,`
]
const TEXT: readonly (string | undefined)[] = [
  undefined,
  '',
  '*/*',
  'text/html, */*;q=0.8',
  'application/*',
  'application/json',
  'text/plain;version=0.0.4',
  `text/plain, ${OPEN};q=0.9`,
  `${OPEN};q=0`,
  `${OPEN};q=0, */*`,
  `${OPEN};version=2.0.0`,
  `${OPEN};version=0.0.1, */*;q=0.1`,
  `${OPEN};q=2`,
  `${OPEN};q=-1`,
  `${OPEN};q=NaN`,
  `${OPEN};q=`,
  `${OPEN}/x`,
  'application/openmetrics-textual',
  ',;=,',
  '\u0000',
  `${OPEN.slice(0, 10)}`,
  `text/plain;q=0.5,${OPEN};q=0.4,*/*;q=1`
]

t.test('OpenMetrics is for those who ask for it, and want it at least as much as text', async t => {
  for (const accept of ASKED_FOR) t.equal(formatFor(accept), 'openmetrics', accept)
})

t.test('everybody else gets the Prometheus text, whatever they ask for', async t => {
  for (const accept of TEXT) t.equal(formatFor(accept), 'prometheus', String(accept))
})

t.test('a list as long as a head may be takes no time', async t => {
  const beganAtMs = performance.now()
  for (const part of [',', ';', 'a/b;', 'q=', '*/*,', '"', `${OPEN};version="`]) {
    formatFor(part.repeat(16_384 / part.length))
  }

  t.ok(performance.now() - beganAtMs < 2000)
})
