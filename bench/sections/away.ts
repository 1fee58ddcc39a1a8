// Redis stands still: how soon callers hear that nothing was sent.
import { startRedis, withoutRedis } from '../../test/helpers/redis-server.ts'
import { number, type Section } from '../report.ts'
import { medianOf, p99Of } from '../rounds.ts'
import { startCallers, startService, type World } from '../world.ts'

export interface AwayOptions {
  readonly stoppedMs: number
}

const PER_SECOND = 50
const CALM_MS = 5000
/** What a stopped Redis is waited for (src/delivery/stores/redis/). */
const TIMEOUT_MS = 400

export async function measureAway(world: World, { stoppedMs }: AwayOptions): Promise<Section> {
  const missing = withoutRedis()
  if (missing !== undefined) throw new Error(`It takes a Redis: ${missing}.`)
  const redis = await startRedis()
  world.stack.defer(() => redis.stop())
  const env = { STORE_URL: redis.url, LIMIT_MODE: 'enforce' }
  const { subject } = await startService(world, { name: 'this service', env })
  const callers = await startCallers(world, { port: subject.port })
  await callers.offer('warm-up', CALM_MS, { perSecond: PER_SECOND })
  await callers.offer('calm', CALM_MS, { perSecond: PER_SECOND })
  const postsBefore = await world.outside.ask<number>('posts')
  redis.pause()
  await callers.offer('stopped', stoppedMs, { perSecond: PER_SECOND })
  const posts = (await world.outside.ask<number>('posts')) - postsBefore
  redis.resume()
  const { calls } = await callers.seen()
  const ended = (window: string, delivery: string): readonly number[] =>
    calls.filter(call => call.window === window && call.delivery === delivery).map(({ tookMs }) => tookMs)
  const sent = ended('calm', 'sent')
  const refused = ended('stopped', 'not-sent')
  const waited = refused.filter(tookMs => tookMs > TIMEOUT_MS / 2)
  const atOnce = refused.filter(tookMs => tookMs <= TIMEOUT_MS / 2)
  const figures = {
    sentMs: { p50: medianOf(sent), p99: p99Of(sent) },
    waited: waited.length,
    waitedP50Ms: medianOf(waited),
    waitedMaxMs: Math.max(...waited),
    atOnce: atOnce.length,
    atOnceP50Ms: medianOf(atOnce),
    atOnceP99Ms: p99Of(atOnce),
    unknown: ended('stopped', 'unknown').length,
    posts
  }
  return {
    name: 'away',
    title: 'Redis stands still',
    note: `SIGSTOP for ${stoppedMs / 1000} s at ${PER_SECOND} replies a second. Those who ask before it is known wait for the time-out of ${TIMEOUT_MS} ms; the others are refused at once. What callers and machine add themselves is seen in the first column.`,
    head: [
      'sent before, p50 / p99',
      'waited',
      'p50 / at the most',
      'refused at once',
      'p50 / p99',
      'in doubt',
      'posted'
    ],
    rows: [
      [
        `${number(figures.sentMs.p50)} / ${number(figures.sentMs.p99)} ms`,
        String(figures.waited),
        `${number(figures.waitedP50Ms)} / ${number(figures.waitedMaxMs)} ms`,
        String(figures.atOnce),
        `${number(figures.atOnceP50Ms)} / ${number(figures.atOnceP99Ms)} ms`,
        String(figures.unknown),
        String(figures.posts)
      ]
    ],
    figures
  }
}
