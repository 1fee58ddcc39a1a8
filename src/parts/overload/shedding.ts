// What a process gives up while its event loop is late.
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config/load-config.ts'
import type { ReplyCommand } from '../../delivery/command.ts'
import type { LimitPolicy } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { ActingLimits } from '../../lib/service/acting-limits.ts'
import { EventLoopLimit, type Work, watchEventLoop } from '../../limits/event-loop.ts'
import type { Emit } from '../../observability/events.ts'
import type { Part } from '../part.ts'

export interface Shedding extends Part {
  /** Before anything is known of the caller. Throws the refusal. A key may ask what became of a reply: it is given up last. */
  check(request: Pick<FastifyRequest, 'method' | 'headers'>): void
  /** A reply whose key is only looked up where there is too much to do; throws where it has none. */
  admit(order: ReplyCommand): ReplyCommand
}

export interface SheddingParts {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly emit: Emit
  /** In the place of the event loop's own delay. */
  readonly eventLoop?: ReturnType<typeof watchEventLoop>
}

const READS = new Set(['GET', 'HEAD'])

export function createShedding({ limits: { mode } }: Pick<Config, 'limits'>, parts: SheddingParts): Shedding {
  if (mode === 'off') return { check: () => undefined, admit: order => order, health: [], close: () => undefined }
  const { clock, random, emit, eventLoop = watchEventLoop() } = parts
  const monotonic = (): number => clock.monotonic()
  const isEnforced = mode === 'enforce'
  const acting = new ActingLimits<LimitPolicy>({
    monotonic,
    tell: (policy, times, enforced) => emit({ name: 'limit-acting', policy, times, isEnforced: enforced })
  })
  const onRefusal = (policy: LimitPolicy): void => acting.note(policy, isEnforced)
  const limit = new EventLoopLimit({ delayMs: eventLoop.delayMs, monotonic, random, isEnforced, onRefusal })
  return {
    check(request) {
      const refusal = limit.refusalOf(workOf(request))
      if (refusal) throw refusal
    },
    admit(order) {
      if (order.idempotencyKey === undefined) return order
      const refusal = limit.refusalOf('new-message')
      return refusal ? { ...order, refusal } : order
    },
    health: [],
    warnings: () => acting.warnings(),
    close: eventLoop.close
  }
}

function workOf({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): Work {
  if (READS.has(method)) return 'read'
  return headers['idempotency-key'] === undefined ? 'new-message' : 'lookup'
}
