// One user asks a hundred times what a user may: what the others notice.
import { number, type Section } from '../report.ts'
import { type Typical, typicalOf } from '../typical.ts'
import { startCallers, startService, type World } from '../world.ts'

export interface FairnessOptions {
  readonly rounds: number
  readonly windowMs: number
}

const DELAY_MS = 50
/** What the others ask together: six a minute each. */
const OTHERS_PER_SECOND = 100
const LOUD_PER_SECOND = (100 * 30) / 60
const WARM_UP_MS = 5000
const ARMS = ['alone', 'beside'] as const

export async function measureFairness(world: World, { rounds, windowMs }: FairnessOptions): Promise<Section> {
  const { subject, plan } = await startService(world, { name: 'this service', env: { LIMIT_MODE: 'enforce' } })
  const count = 'count' in plan.users ? 0 : plan.users.length
  const others = { name: 'others', perSecond: OTHERS_PER_SECOND, from: 1, to: count }
  const loud = { name: 'loud', perSecond: LOUD_PER_SECOND, from: 0, to: 1 }
  const callers = await startCallers(world, { port: subject.port })
  await world.outside.ask('delay', DELAY_MS)

  await callers.offer('warm-up', WARM_UP_MS, [others, loud])
  for (let round = 0; round < rounds; round++) {
    for (const arm of round % 2 === 0 ? ARMS : ARMS.toReversed()) {
      await callers.offer(`${arm} ${round}`, windowMs, arm === 'alone' ? [others] : [others, loud])
    }
  }
  const { calls } = await callers.seen()

  const figures = Object.fromEntries(
    ARMS.map(arm => {
      const own = calls.filter(({ window, stream }) => window.startsWith(arm) && stream === 'others')
      const sent = own.filter(({ status }) => status === 201)
      return [arm, { asked: own.length, lost: own.length - sent.length, ...typicalOf(sent) }]
    })
  ) as Record<(typeof ARMS)[number], Arm>
  const ofLoud = calls.filter(({ stream, window }) => stream === 'loud' && window.startsWith('beside'))
  const loudSent = ofLoud.filter(({ status }) => status === 201).length
  return {
    name: 'fairness',
    title: 'One user at a hundred times the limit',
    note: `${OTHERS_PER_SECOND} replies a second of ${count - 1} users at random times, alone and beside one who asks ${LOUD_PER_SECOND} a second and may send 30 a minute; CometChat takes ${DELAY_MS} ms. ${rounds} windows of ${windowMs} ms each, in turn, and the median of what each has as its p50 and p99.`,
    head: ['the others', 'asked', 'not sent', 'p50', 'p99', '× alone', 'the loud one'],
    rows: ARMS.map(arm => [
      arm,
      String(figures[arm].asked),
      `${number((figures[arm].lost / figures[arm].asked) * 100)} %`,
      `${number(figures[arm].p50Ms)} ms`,
      `${number(figures[arm].p99Ms)} ms`,
      (figures[arm].p99Ms / figures.alone.p99Ms).toFixed(2),
      arm === 'alone' ? '–' : `${loudSent} of ${ofLoud.length} sent`
    ]),
    figures: { ...figures, loud: { asked: ofLoud.length, sent: loudSent } }
  }
}

interface Arm extends Typical {
  readonly asked: number
  readonly lost: number
}
