import type { LimitPolicy } from '../errors.ts'

/** The calls to CometChat, each by its method and its path without what differs from call to call. */
export type UpstreamCall =
  | 'POST /messages/{id}/thread'
  | 'GET /messages/{id}/thread'
  | 'GET /messages/{id}'
  | 'PUT /messages/{id}'
  | 'DELETE /messages/{id}'
  | 'GET /users/{uid}'
  | 'POST /users'
  | 'POST /users/{uid}/auth_tokens'
  | 'DELETE /users/{uid}/auth_tokens/{authToken}'

/** What STORE_URL names. */
export type StoreKind = 'memory' | 'file' | 'redis' | 'postgres'

/** The transitions of a record, as `RecordStore` has them. */
export type StoreTransition =
  | 'acquire'
  | 'mark-sent'
  | 'confirm'
  | 'mark-in-doubt'
  | 'take-over'
  | 'complete'
  | 'release'
  | 'note-search'

/** `unavailable` where the store did not answer. */
export type KeyClaim = 'new' | 'replayed' | 'in-flight' | 'in-doubt' | 'reused' | 'unavailable'

/** A step of the work that takes its time. There are several in a reply, and none of them is a line of the log. */
export type StepEvent =
  /** One exchange with CometChat is over, or was given up before its turn came. */
  | {
      readonly name: 'upstream-attempt'
      readonly call: UpstreamCall
      /** How long it waited for its turn, in milliseconds. */
      readonly queueMs: number
      /** From its turn to its end, in milliseconds; undefined where its turn never came. */
      readonly durationMs: number | undefined
      readonly status?: number
      /** Why there is no answer: a closed vocabulary (`FailureCause`). */
      readonly cause?: string
    }
  /** One transition of a record is over; a failed one may or may not have happened. */
  | {
      readonly name: 'store-transition'
      readonly store: StoreKind
      readonly transition: StoreTransition
      /** In milliseconds; 0 for what was done at once, in memory. */
      readonly durationMs: number
      readonly isFailed: boolean
    }
  /** What the record of an Idempotency-Key said to a reply that came with it. */
  | { readonly name: 'key-claim'; readonly result: KeyClaim }
  /** The key set of an issuer was asked for. */
  | {
      readonly name: 'key-fetch'
      /** As the configuration names it. */
      readonly issuer: string
      readonly durationMs: number
      /** `ok`, or why the keys cannot be used: a closed vocabulary, but for the status that was answered. */
      readonly result: string
    }

/** One call to CometChat in a trace. */
export interface AttemptTrace {
  /** What CometChat is told: the trace and the span of this call (W3C Trace Context). */
  readonly traceparent: string
  /** `endedAtMs` is on the monotonic clock. */
  end(attempt: Extract<StepEvent, { readonly name: 'upstream-attempt' }>, endedAtMs: number): void
}

/** What a trace says of a request that is answered. */
export interface EndedRequest {
  readonly method?: string
  readonly route?: string
  readonly status?: number
  readonly code?: string
  readonly reason?: string
  readonly delivery?: string
  readonly replayed?: boolean
  readonly attempts?: number
}

/** The trace of one request, where there are traces. None of its spans holds an id of a person or a thread. */
export interface RequestTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** Before a call; `resends` counts those of the same request before it. */
  beginAttempt(call: UpstreamCall, resends: number): AttemptTrace
  /** `endedAtMs` is on the monotonic clock. */
  noteTransition(transition: Extract<StepEvent, { readonly name: 'store-transition' }>, endedAtMs: number): void
  end(request: EndedRequest): void
}

/** Ways out of the process. */
export type SecretExit = 'answer' | 'log' | 'audit' | 'traces' | 'metrics'

/**
 * Everything a part of this service tells the operator, beside the line of each request. A part is given `emit` and
 * says what happened; the log, and whatever else subscribes, decides what becomes of it. An event holds no secret, no
 * text of a message and no raw error: it may be written as it is.
 */
export type ServiceEvent =
  | StepEvent
  /** Somebody has to look: the key is refused or was shown, an answer belongs to another request. */
  | {
      readonly name: 'alarm'
      readonly alarm: 'upstream-credentials' | 'upstream-untrusted' | 'upstream-mismatch' | 'key-echoed'
    }
  /** CometChat refuses the app itself, or a feature that is not in its plan: at most once an hour for each code. */
  | {
      readonly name: 'alarm'
      readonly alarm: 'upstream-misconfigured' | 'upstream-feature-refused'
      readonly upstreamCode: string
      /** How often since the last alarm. */
      readonly times: number
    }
  /** CometChat describes messages otherwise than documented where it does no harm: at most once an hour for each member. */
  | { readonly name: 'upstream-deviation'; readonly member: string; readonly times: number }
  /** A secret was about to leave and was cut out: each time, for whatever counts. */
  | { readonly name: 'secret-stopped'; readonly exit: SecretExit; readonly variable: string }
  /** The same, for somebody to look: at most once an hour for each way out. */
  | {
      readonly name: 'alarm'
      readonly alarm: 'secret-leak'
      readonly exit: SecretExit
      /** Where the secret comes from. */
      readonly variable: string
      /** How often since the last alarm. */
      readonly times: number
    }
  /** The table of users gives one UID to two users. */
  | { readonly name: 'alarm'; readonly alarm: 'uid-shared'; readonly uid: string }
  /** A user came whose UID is that of another user. */
  | { readonly name: 'alarm'; readonly alarm: 'uid-taken'; readonly uid: string }
  /** A sign-in ended, and its token for CometChat's SDK could not be taken back: it still works. */
  | { readonly name: 'alarm'; readonly alarm: 'sdk-token-left'; readonly uid?: string }
  /** Lines of AUDIT_FILE cannot be written; at most once a minute. */
  | {
      readonly name: 'alarm'
      readonly alarm: 'audit-unwritable'
      /** A code of the operating system, such as `ENOSPC`. */
      readonly reason: string
      readonly waiting: number
      readonly lost: number
    }
  | { readonly name: 'audit-writable'; readonly lost: number }
  /** So many lines of this chain are in AUDIT_FILE, and the last has this mac: what the file is held against. */
  | { readonly name: 'audit-checkpoint'; readonly chain: string; readonly count: number; readonly head: string }
  | { readonly name: 'user-created'; readonly uid: string }
  /** A store became reachable again, or unreachable; `part` is the reason that `/readyz` gives. */
  | {
      readonly name: 'reachability'
      readonly part: 'store' | 'session-store' | 'login-store'
      readonly isReachable: boolean
      /** A closed vocabulary, such as a code of a socket, of Redis or of Postgres. */
      readonly reason?: string
      /** What it is, where it is no Redis. */
      readonly server?: 'Redis' | 'Postgres' | 'sentinels' | 'master at the sentinels'
      /** Of a Redis Cluster: how many shards are away, of how many. */
      readonly shards?: { readonly away: number; readonly all: number }
    }
  /** The store of records works, with a limit that the operator should know. */
  | {
      readonly name: 'store-limit'
      readonly limit: 'memory' | 'info-forbidden' | 'config-forbidden' | 'no-append-only-file' | 'no-fsync'
    }
  /**
   * Records were lost or may have been: for so long replies with a new key are not sent. Without a time it is over.
   */
  | { readonly name: 'store-recovering'; readonly restMs?: number; readonly why?: string }
  /** Of the replicas that have to confirm records, too few begin or cease to do so. */
  | { readonly name: 'store-replicas'; readonly areEnough: boolean }
  /** The tables of the store were made, or brought to a newer version. */
  | { readonly name: 'store-migrated'; readonly schema: string; readonly from: number; readonly to: number }
  /** The store of records can be reached and must not be used; `problem` names variables, not values. */
  | { readonly name: 'store-unusable'; readonly problem: string }
  /** The key set of an issuer could not be fetched. */
  | {
      readonly name: 'keys-unreadable'
      readonly variable: 'AUTH_JWT_ISSUER' | 'AUTH_LOGIN_ISSUER' | 'AUTH_ISSUERS_FILE'
      /** A closed vocabulary, but for the status that was answered. */
      readonly reason: string
      /** What the operator may do about it. */
      readonly hint?: string
      /** Whose keys, where there are several issuers. */
      readonly issuer?: string
    }
  /** AUTH_JWT_KEY_FILE, or a file of an issuer's keys, was read again; with a `problem` its former keys stay. */
  | { readonly name: 'key-file-changed'; readonly keys: number; readonly issuer?: string; readonly problem?: string }
  /** AUTH_JWT_SECRET_FILE, or a file of an issuer's secrets, was read again; with a `problem` its former ones stay. */
  | {
      readonly name: 'secret-file-changed'
      /** The fingerprints of those that count from now on. */
      readonly secrets: readonly string[]
      readonly issuer?: string
      readonly problem?: string
    }
  /** AUTH_ISSUERS_FILE was read again; with a `problem` its former issuers stay. */
  | { readonly name: 'issuers-changed'; readonly issuers: number; readonly problem?: string }
  /** By which rules the tokens of an issuer are judged; one sentence of settings, without a secret. */
  | { readonly name: 'issuer-ready'; readonly issuer: string; readonly rules: string }
  /** The OpenID provider of the sign-in answered with something it must not; `reason` is a closed vocabulary. */
  | { readonly name: 'provider-trouble'; readonly reason: string }
  /** The table of users was read again; with a `problem` its former rows stay. */
  | { readonly name: 'uid-table-changed'; readonly rows: number; readonly problem?: string }
  /** COMETCHAT_API_KEY_FILE was read again; `keys` are the fingerprints in use from now on. */
  | {
      readonly name: 'api-keys-changed'
      readonly accepted: boolean
      readonly keys: readonly string[]
      readonly problem?: string
    }
  /** CometChat cannot be reached, or answers nothing; undefined when it answers again. */
  | { readonly name: 'cometchat-outage'; readonly outage: 'unreachable' | 'silent' | undefined }
  /** A limit refuses requests, or would if it were enforced: the first time, and then at most once a minute. */
  | {
      readonly name: 'limit-acting'
      readonly policy: LimitPolicy
      /** How often since it was last told. */
      readonly times: number
      readonly isEnforced: boolean
    }
  /** So many spans of traces could not be sent since this was last told; at most once an hour. */
  | {
      readonly name: 'spans-unsent'
      /** A code of a socket, a status, or `no-answer`. */
      readonly reason: string
      readonly spans: number
    }
  /** The configuration works, with a risk that the operator should know. */
  | { readonly name: 'config-warning'; readonly warning: string }

/** Tells the subscribers, at once; never throws. */
export type Emit = (event: ServiceEvent) => void
