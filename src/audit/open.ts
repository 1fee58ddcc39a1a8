import { hostname } from 'node:os'
import type { Clock } from '../lib/clock.ts'
import type { Secret } from '../lib/secret.ts'
import { StoreError } from '../lib/service/store-error.ts'
import { VERSION } from '../lib/service/version.ts'
import type { Emit } from '../observability/events.ts'
import { type AppendFile, codeOf, openAppendFile } from './append-file.ts'
import { AuditLog } from './audit-log.ts'
import { createSeal, readLine } from './chain.ts'
import { opening } from './lines.ts'

export interface AuditOptions {
  readonly path: string
  /** The first one seals; the others have sealed what is in the file. */
  readonly secrets: readonly Secret[]
  readonly mode: 'on' | 'strict'
  readonly clock: Clock
  readonly emit: Emit
  /** The last look at what a line holds, before it is sealed. */
  readonly cut?: (text: string) => string
}

/** Begins the chain of this process. Throws a StoreError where the file cannot be opened. */
export async function openAudit({ path, secrets, mode, clock, emit, cut }: AuditOptions): Promise<AuditLog> {
  const seals = secrets.map(createSeal)
  const [seal] = seals
  if (!seal) throw new StoreError('AUDIT_SECRET must hold a secret.')
  const file = await open(path)
  const last = await file.lastLine()
  const line = last === undefined ? undefined : readLine(last, seals)
  const log = new AuditLog({ file, seal, clock, emit, ...(cut && { cut }) })
  await log.begin(
    opening({
      instance: hostname(),
      pid: process.pid,
      version: VERSION,
      mode,
      after: line && { chain: line.chain, seq: line.seq }
    })
  )
  return log
}

async function open(path: string): Promise<AppendFile> {
  try {
    return await openAppendFile(path)
  } catch (error) {
    const code = codeOf(error)
    const hint = code === 'ENXIO' ? ': a pipe without a reader, or a socket' : ''
    throw new StoreError(`AUDIT_FILE cannot be opened for appending (${code})${hint}; AUDIT=off does without it.`)
  }
}
