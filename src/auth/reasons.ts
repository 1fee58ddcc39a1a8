import { AppError, type AppErrorOptions, type ProblemCode } from '../errors.ts'

/**
 * Why a credential was refused, for the log: the closed list, which docs/authentication.md explains word by word. None
 * says anything that was in the credential.
 */
export const CREDENTIAL_REASONS = [
  'credential-missing',
  'credential-form',
  'credential-several',
  'credential-off',
  'token-form',
  'token-too-long',
  'token-encrypted',
  'token-algorithm',
  'token-critical',
  'token-type',
  'token-issuer',
  'token-audience',
  'token-expired',
  'token-no-expiry',
  'token-early',
  'token-key',
  'token-signature',
  'token-claim',
  'token-scope',
  'token-inactive',
  'act-scope',
  'act-name',
  'csrf-cross-site',
  'csrf-origin',
  'csrf-proof',
  'uid-missing',
  'uid-form',
  'uid-taken',
  'uid-unlisted',
  'uid-shared',
  'session-signature',
  'session-unknown',
  'session-unreadable',
  'session-expired',
  'session-without-user',
  'login-session'
] as const

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
