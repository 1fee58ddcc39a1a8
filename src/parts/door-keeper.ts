// The door, joined with requests: who is counted as whom, and what becomes of a request that is refused there.
import type { FastifyRequest } from 'fastify'
import { IS_SUSPECT } from '../auth/authenticator.ts'
import { CALLER } from '../auth/require-caller.ts'
import type { LimitsConfig } from '../config/budgets/limits.ts'
import { AppError, type LimitPolicy } from '../errors.ts'
import type { ProblemCode } from '../lib/refusals/problems.ts'
import type { ActingLimits } from '../lib/service/acting-limits.ts'
import { Door, type Standing } from '../limits/door.ts'
import type { Emit } from '../observability/events.ts'
import { FACTS } from '../observability/log-fields.ts'

/** Where a request keeps how its address stands. */
const STANDING: unique symbol = Symbol('thread-reply.standing')

declare module 'fastify' {
  interface FastifyRequest {
    /** How the address of this request stands at the door; undefined where nothing is held against it. */
    [STANDING]?: Standing | undefined
    /** Set where only what can be verified here lets anybody in. */
    [IS_SUSPECT]?: boolean
  }
}

export interface DoorKeeper {
  /** Before anything is looked at; refuses nothing by itself. */
  readonly enter: (request: FastifyRequest) => void
  /** Once it is known who calls, or that nobody does: throws above the ceiling, which services do not have. */
  readonly checkCaller: (request: FastifyRequest) => void
  /** What a refusal is told as: to an address above its limits not whether a credential was good. */
  readonly judge: (error: AppError, request: FastifyRequest) => AppError
  readonly onAnswer: (request: FastifyRequest) => void
  /** Bytes that are no request. */
  readonly noteMalformed: (address: string) => void
}

export interface DoorKeeperOptions extends Pick<LimitsConfig, 'mode' | 'failuresPerMinute' | 'addressPerMinute'> {
  readonly trustProxy: readonly string[]
  readonly monotonic: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly emit: Emit
  readonly acting: ActingLimits<LimitPolicy>
}

const FAILURES: ReadonlySet<ProblemCode | undefined> = new Set(['unauthenticated', 'csrf', 'malformed-request'])
const SUSPENDED = 'introspection-suspended'
const JITTER = 0.1
const OPEN: DoorKeeper = {
  enter: () => undefined,
  checkCaller: () => undefined,
  judge: error => error,
  onAnswer: () => undefined,
  noteMalformed: () => undefined
}

export function createDoorKeeper(options: DoorKeeperOptions): DoorKeeper {
  const { mode, failuresPerMinute, addressPerMinute, trustProxy, monotonic, random, emit, acting } = options
  if (mode === 'off') return OPEN
  const door = new Door({ monotonic, failuresPerMinute, requestsPerMinute: addressPerMinute })
  let hasWarned = false

  /** Whether the address is that of the caller, and not of a proxy that is not known here. */
  function canTell({ raw, headers, ip }: FastifyRequest): boolean {
    const isForwarded = headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined
    if (!isForwarded || ip !== raw.socket.remoteAddress) return true
    if (!hasWarned) {
      hasWarned = true
      emit({
        name: 'config-warning',
        warning:
          'a peer that TRUST_PROXY does not name says for whom it forwards: its callers cannot be told apart, so no limit of addresses is enforced on it; name its address, and let it set X-Forwarded-For'
      })
    }
    return false
  }

  function refusal({ waitMs }: Standing): AppError {
    acting.note('address')
    const retryAfterMs = Math.ceil((waitMs * (1 + random() * JITTER)) / 1000) * 1000
    return new AppError('rate-limited', 'Too many requests come from this address.', {
      retryAfterMs,
      reason: 'limit-address',
      violatedPolicies: ['address']
    })
  }

  return {
    enter(request) {
      const standing = door.enter(addressOf(request))
      if (!standing.hasFailed && !standing.isOver) return
      const isEnforced = mode === 'enforce' && canTell(request)
      if (!isEnforced && standing.isOver) acting.note('address', false)
      if (!isEnforced) return
      request[STANDING] = standing
      request[IS_SUSPECT] = true
    },
    checkCaller({ [STANDING]: standing, [CALLER]: caller }) {
      if (standing?.isOver && !isService(caller)) throw refusal(standing)
    },
    judge(error, { [STANDING]: standing, [CALLER]: caller }) {
      if (!standing || error.options.reason === 'limit-address') return error
      const isHidden = FAILURES.has(error.code) || error.options.reason === SUSPENDED
      return isHidden || (standing.isOver && !isService(caller)) ? refusal(standing) : error
    },
    onAnswer(request) {
      if (FAILURES.has(request[FACTS].code)) door.noteFailure(addressOf(request))
      // Looked for here as well, so that an operator hears of it before anything is refused.
      if (!hasWarned) canTell(request)
    },
    noteMalformed(address) {
      // Behind a proxy that is trusted nobody can say whose bytes they were.
      if (trustProxy.length === 0) door.noteFailure(address)
    }
  }
}

/** Without a header of a proxy it is that of the peer, which costs nothing to know. */
function addressOf(request: FastifyRequest): string {
  const { headers, raw } = request
  return (headers['x-forwarded-for'] === undefined ? raw.socket.remoteAddress : request.ip) ?? 'gone'
}

function isService(caller: FastifyRequest[typeof CALLER] | undefined): boolean {
  return caller !== undefined && caller.actors.length > 0
}
