import { StoreError } from '../lib/service/store-error.ts'

/** What keeps Postgres from being used that an operator can do something about. */
export interface Trouble {
  /** Names a variable, never its value. */
  readonly sentence: string
  /** No start is worth while before it is done; other trouble may end by itself. */
  readonly isFinal: boolean
}

/** Postgres answers and cannot be used at the moment, for the reason that its word says. */
export class NotNow extends Error {
  readonly code: string

  constructor(code: 'STANDBY' | 'ANOTHER_SERVER') {
    super(code)
    this.code = code
  }
}

const NAMES = 'STORE_URL names a Postgres'
const TLS_WORDS = 'sslrootcert=PATH in STORE_URL names its authority'

/** A statement may wait for the disk for so long; what cancels it earlier makes every reply fail. */
export const LEAST_STATEMENT_TIMEOUT_MS = 500
export const HURRIED = `${NAMES} that cancels statements before they can end: raise statement_timeout for its user to ${LEAST_STATEMENT_TIMEOUT_MS} ms or more, or 0.`

/** By SQLSTATE (appendix A of the Postgres manual) or by a code of Node. */
const FINAL: Readonly<Record<string, string>> = {
  '28P01': `${NAMES} that refuses its user or password.`,
  '28000': `${NAMES} that refuses its user, or a connection like this one: see its pg_hba.conf, and sslmode in STORE_URL.`,
  '3D000': `${NAMES} that does not have this database: create it, or change the name at the end of STORE_URL.`,
  '25006': `${NAMES} that takes no writes (default_transaction_read_only): name a server or a user that does.`,
  '42501': `${NAMES} whose user may not do what records need: grant it, as docs/operations.md has it.`,
  '57014': HURRIED,
  ERR_TLS_CERT_ALTNAME_INVALID:
    'STORE_URL names a host for which its certificate is not: name it as the certificate does.',
  DEPTH_ZERO_SELF_SIGNED_CERT: `${NAMES} whose certificate nobody vouches for: ${TLS_WORDS}.`,
  SELF_SIGNED_CERT_IN_CHAIN: `${NAMES} whose certificate comes from an authority that is not known here: ${TLS_WORDS}.`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `${NAMES} whose certificate comes from an authority that is not known here: ${TLS_WORDS}.`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `${NAMES} whose certificate comes from an authority that is not known here: ${TLS_WORDS}.`,
  CERT_HAS_EXPIRED: `${NAMES} whose certificate has expired: renew it.`
}
const NO_TLS: Trouble = {
  sentence: `${NAMES} that encrypts nothing: sslmode=disable in STORE_URL says that this is meant.`,
  isFinal: true
}
const PASSING: Readonly<Record<string, string>> = {
  '53300': `${NAMES} that has no connection left for us: raise its max_connections, or name a PgBouncer in STORE_URL.`,
  '53100': `${NAMES} whose disk is full: make room; until then nothing is sent.`
}

/** Undefined where it is known only that there is no answer, or that it is no answer of use. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof StoreError) return { sentence: error.message, isFinal: true }
  if (!(error instanceof Error)) return undefined
  if (error.message === 'The server does not support SSL connections') return NO_TLS
  const code = codeOf(error)
  const final = FINAL[code]
  if (final !== undefined) return { sentence: final, isFinal: true }
  const passing = PASSING[code]
  return passing === undefined ? undefined : { sentence: passing, isFinal: false }
}

/** Postgres has answered, with an error. */
export function isAnswer(error: unknown): boolean {
  return error instanceof Error && 'severity' in error
}

/** It is about the connection, or about what is at its other end: shutting down, starting up, demoted. */
export function isOfConnection(error: unknown): boolean {
  return error instanceof Error && /^(08|57P|25006)/.test(codeOf(error))
}

export function isFull(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === '53100'
}

/** A code such as ECONNREFUSED or 57P03; the message itself may repeat what was sent. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error ? codeOf(error) : ''
  return /^[A-Z0-9_]{2,40}$/.test(code) ? code : 'no answer'
}

export function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}
