// The audit file, as a part.

import type { AuditConfig } from '../../config/files/audit.ts'
import type { ReplyCommand } from '../../delivery/command.ts'
import { AppError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Tripwire } from '../../lib/tripwire/tripwire.ts'
import type { Emit } from '../../observability/events.ts'
import type { LogFields } from '../../observability/log-fields.ts'
import type { Part } from '../part.ts'

export interface Audit extends Part {
  /** A request that is answered; those of nobody known, and those that only read, are in the log alone. */
  note(fields: LogFields, subject: string | undefined): void
  /** Only where an intent must be on the disk before a reply is sent; throws an AppError where it is not. */
  readonly beforeSend?: (order: Pick<ReplyCommand, 'facts' | 'author'>) => Promise<void>
  /** What a reply would be refused with now; nothing is written for it. */
  refusalAhead(): AppError | undefined
}

export interface AuditParts {
  readonly clock: Clock
  readonly emit: Emit
  readonly tripwire: Pick<Tripwire, 'cut'>
}

/** Undefined where there is no audit file. Throws a StoreError where it cannot be opened. */
export async function openAuditFile(
  config: AuditConfig | undefined,
  { clock, emit, tripwire }: AuditParts
): Promise<Audit | undefined> {
  if (!config) return undefined
  const { openAudit } = await import('../../audit/open.ts')
  const log = await openAudit({ ...config, clock, emit, cut: text => tripwire.cut(text, 'audit') })
  const isStrict = config.mode === 'strict'
  const beforeSend = async ({ facts, author }: Pick<ReplyCommand, 'facts' | 'author'>): Promise<void> => {
    try {
      await log.intend(facts, author.subject)
    } catch {
      throw unwritable()
    }
  }
  return {
    health: isStrict ? [{ reason: 'audit-file', isReady: () => log.trouble() === undefined }] : [],
    warnings() {
      const trouble = log.trouble()
      return trouble === undefined ? [] : [`AUDIT_FILE cannot be written (${trouble})`]
    },
    note(fields, subject) {
      if (fields.uid !== undefined && fields.method !== 'GET') log.note(fields, subject)
    },
    ...(isStrict && { beforeSend }),
    refusalAhead: () => (isStrict && log.trouble() !== undefined ? unwritable() : undefined),
    close: () => log.close()
  }
}

function unwritable(): AppError {
  return new AppError('store-unavailable', 'Nothing is sent while the audit file cannot be written.', {
    retryAfterMs: 1000,
    reason: 'audit-file'
  })
}
