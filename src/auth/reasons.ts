import { AppError, type AppErrorOptions } from '../errors.ts'
import type { ProblemCode } from '../lib/refusals/problems.ts'
import type { CREDENTIAL_REASONS } from '../lib/refusals/reasons.ts'

export type CredentialReason = (typeof CREDENTIAL_REASONS)[number]

type RefusalCode = Extract<
  ProblemCode,
  'unauthenticated' | 'forbidden' | 'csrf' | 'identity-unmappable' | 'ambiguous-credentials'
>

/** The refusal of a credential; there is none without a reason. */
export function credentialRefusal(
  code: RefusalCode,
  reason: CredentialReason,
  publicDetail: string,
  options: Pick<AppErrorOptions, 'challenge'> = {}
): AppError {
  return new AppError(code, publicDetail, { ...options, reason })
}
