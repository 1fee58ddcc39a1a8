// Everything that can go wrong between a client and CometChat, as data. `perform-fault.ts` makes it happen.

import type { Details } from './errors.ts'
import type { Dialect } from './rate-limit.ts'
import type { JsonObject } from './types.ts'

export type Ending = 'close' | 'reset'

interface Common {
  /** Real milliseconds to wait before the fault shows; not the injected clock. */
  readonly delayMs?: number
}

interface Committing extends Common {
  /** Whether the message is posted although the client may never learn it. */
  readonly commit?: boolean
}

type Plain<Kind extends string> = Committing & { readonly kind: Kind }

/** Without an answer. `commit` defaults to false. */
type SilentFault =
  | (Common & { readonly kind: 'close-at-connect' | 'reset-at-connect' })
  | (Common & { readonly kind: 'close-before-reading' | 'reset-before-reading' })
  | Plain<'close' | 'reset' | 'stall'>
  | (Common & { readonly kind: 'late-commit'; readonly afterMs: number; readonly ending?: Ending | 'stall' })

/** The real answer, badly transported. `commit` defaults to true. */
type TransportFault =
  | Plain<'stall-after-headers' | 'stall-in-body' | 'close-delimited-half' | 'gzip' | 'delay'>
  | (Committing & { readonly kind: 'drip-headers' | 'drip-body'; readonly everyMs?: number; readonly bytes?: number })
  | (Committing & { readonly kind: 'half-body' | 'truncated-chunked'; readonly ending?: Ending })
  | (Committing & { readonly kind: 'early-hints'; readonly count?: number })
  | (Committing & { readonly kind: 'close-after-answer'; readonly ending?: Ending; readonly afterMs?: number })
  | (Committing & {
      readonly kind: 'extra-answer'
      readonly when: 'same-write' | 'idle' | 'next-request'
      /** Another message's answer unless given. */
      readonly body?: string
    })

/** An answer that lies or is broken, with status 200. `commit` defaults to true, save for lying-success. */
type ContentFault =
  | Plain<'numeric-ids' | 'metadata-missing' | 'key-in-answer'>
  | (Common & { readonly kind: 'lying-success' })
  | (Committing & { readonly kind: 'foreign-answer'; readonly of?: 'previous' | 'other-user' })
  | (Committing & {
      readonly kind: 'break-schema'
      /** Changes the message of the answer in place, or returns what stands in its place. */
      readonly mutate?: (message: JsonObject) => unknown
      /** Members to overwrite, for those who can only send JSON. */
      readonly set?: JsonObject
      readonly remove?: readonly string[]
    })
  | (Committing & {
      readonly kind: 'receiver-answers'
      /** Error codes by receiver, told in the place of what became of it. */
      readonly errors?: Readonly<Record<string, string>>
      /** Receivers left out of the answer. */
      readonly missing?: readonly string[]
      /** Users in the answer whom nobody asked for. */
      readonly added?: readonly string[]
    })
  | (Committing & { readonly kind: 'giant-body'; readonly bytes?: number })
  | (Committing & { readonly kind: 'error-in-200'; readonly code?: string })

/** A refusal or a failure with a status of its own. `commit` defaults to false. */
type RefusalFault =
  | Plain<'key-revoked' | 'key-scope' | 'unasked-upgrade'>
  | (Committing & { readonly kind: 'server-error'; readonly status?: number; readonly format?: 'envelope' | 'html' })
  | (Committing & {
      readonly kind: 'rate-limited'
      /** Seconds or any text; null leaves the header out. */
      readonly retryAfter?: number | string | null
      readonly dialect?: Dialect
    })
  | (Committing & {
      readonly kind: 'error'
      readonly code: string
      /** The recorded or guessed one of the code unless given. */
      readonly status?: number
      readonly message?: string
      readonly devMessage?: string
      readonly details?: Details
    })
  | (Committing & { readonly kind: 'redirect'; readonly location: string; readonly status?: number })
  | (Committing & {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string | readonly string[]>>
      readonly body: string | Buffer
      /** Sent instead of the status line that Node would write; the connection is closed after it. */
      readonly rawStatusLine?: string
    })
  | (Committing & {
      readonly kind: 'raw'
      readonly bytes: string | Buffer
      /** `stay` leaves the socket open; nothing else is ever answered on it. */
      readonly ending?: Ending | 'stay'
    })

export type Fault = SilentFault | TransportFault | ContentFault | RefusalFault
export type FaultKind = Fault['kind']

/** Ready-made faults, for `failWithSeed`, for the admin endpoint, and for tables in tests. */
export const NAMED_FAULTS = {
  'close-before-reading': { kind: 'close-before-reading' },
  'reset-before-reading': { kind: 'reset-before-reading' },
  close: { kind: 'close' },
  'close-after-commit': { kind: 'close', commit: true },
  reset: { kind: 'reset' },
  'reset-after-commit': { kind: 'reset', commit: true },
  stall: { kind: 'stall' },
  'stall-after-commit': { kind: 'stall', commit: true },
  'late-commit': { kind: 'late-commit', afterMs: 500 },
  'stall-after-headers': { kind: 'stall-after-headers' },
  'stall-in-body': { kind: 'stall-in-body' },
  'drip-headers': { kind: 'drip-headers' },
  'drip-body': { kind: 'drip-body' },
  'half-body': { kind: 'half-body' },
  'half-body-reset': { kind: 'half-body', ending: 'reset' },
  'truncated-chunked': { kind: 'truncated-chunked' },
  'close-delimited-half': { kind: 'close-delimited-half' },
  'commit-then-500': { kind: 'server-error', status: 500, commit: true },
  'internal-error': { kind: 'server-error', status: 500 },
  'bad-gateway': { kind: 'server-error', status: 502, format: 'html' },
  unavailable: { kind: 'server-error', status: 503, format: 'html' },
  'gateway-timeout': { kind: 'server-error', status: 504, format: 'html' },
  'gateway-timeout-after-commit': { kind: 'server-error', status: 504, format: 'html', commit: true },
  'rate-limited': { kind: 'rate-limited', retryAfter: 1 },
  'key-revoked': { kind: 'key-revoked' },
  'key-scope': { kind: 'key-scope' },
  garbage: { kind: 'raw', bytes: '\u0000\u0001 this is not HTTP\r\n\r\n', commit: true },
  'giant-body': { kind: 'giant-body' },
  gzip: { kind: 'gzip' },
  redirect: { kind: 'redirect', location: 'http://127.0.0.1:9/' },
  'early-hints': { kind: 'early-hints' },
  'unasked-upgrade': { kind: 'unasked-upgrade' },
  'foreign-answer': { kind: 'foreign-answer' },
  'foreign-answer-of-other-user': { kind: 'foreign-answer', of: 'other-user' },
  'extra-answer': { kind: 'extra-answer', when: 'same-write' },
  'extra-answer-idle': { kind: 'extra-answer', when: 'idle' },
  'extra-answer-next-request': { kind: 'extra-answer', when: 'next-request' },
  'close-after-answer': { kind: 'close-after-answer' },
  'lying-success': { kind: 'lying-success' },
  'error-in-200': { kind: 'error-in-200' },
  'break-schema': { kind: 'break-schema', set: { sentAt: 'yesterday', category: 7 } },
  'key-in-answer': { kind: 'key-in-answer' },
  'numeric-ids': { kind: 'numeric-ids' },
  'metadata-missing': { kind: 'metadata-missing' }
} as const satisfies Readonly<Record<string, Fault>>

export type FaultName = keyof typeof NAMED_FAULTS

export const isFaultName = (name: string): name is FaultName => Object.hasOwn(NAMED_FAULTS, name)

/** Faults of which the client sees an outcome at once; the others need its own timeout. */
export const QUICK_FAULTS: readonly FaultName[] = (Object.keys(NAMED_FAULTS) as FaultName[]).filter(
  name => !/^(stall|drip|lying|foreign|extra)/.test(name)
)

/** Every kind, and whether its message is posted unless the fault says otherwise. */
const COMMITS: Readonly<Record<FaultKind, boolean>> = {
  answer: false,
  'break-schema': true,
  close: false,
  'close-after-answer': true,
  'close-at-connect': false,
  'close-before-reading': false,
  'close-delimited-half': true,
  delay: true,
  'drip-body': true,
  'drip-headers': true,
  'early-hints': true,
  error: false,
  'error-in-200': true,
  'extra-answer': true,
  'foreign-answer': true,
  'giant-body': true,
  gzip: true,
  'half-body': true,
  'key-in-answer': true,
  'key-revoked': false,
  'key-scope': false,
  'late-commit': false,
  'lying-success': false,
  'metadata-missing': true,
  'numeric-ids': true,
  'rate-limited': false,
  raw: false,
  'receiver-answers': true,
  redirect: false,
  reset: false,
  'reset-at-connect': false,
  'reset-before-reading': false,
  'server-error': false,
  stall: false,
  'stall-after-headers': true,
  'stall-in-body': true,
  'truncated-chunked': true,
  'unasked-upgrade': false
}

export const FAULT_KINDS: ReadonlySet<string> = new Set(Object.keys(COMMITS))

/** Whether the message is posted in spite of the fault. */
export function commits(fault: Fault): boolean {
  return 'commit' in fault && fault.commit !== undefined ? fault.commit : COMMITS[fault.kind]
}
