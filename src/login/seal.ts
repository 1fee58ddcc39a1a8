import { hkdfSync, randomBytes } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { JOSEError, JWTExpired } from 'jose/errors'
import { jwtDecrypt } from 'jose/jwt/decrypt'
import { EncryptJWT } from 'jose/jwt/encrypt'
import type { Clock } from '../lib/clock.ts'

/** Seals claims into text that says nothing and cannot be changed: a JWE (RFC 7516) with `dir` and `A256GCM`. */
export interface Sealer {
  /** The text ends at the given time, to the second. */
  seal(claims: JWTPayload, context: string, endsAtMs: number): Promise<string>
  /**
   * What was sealed in the same context: text that was sealed for one purpose is worthless for another.
   * `expired` after its end, undefined for any other text.
   */
  unseal(text: string, context: string): Promise<SealedClaims | 'expired' | undefined>
}

/** The claims as they were sealed, with the end as `exp` in seconds. */
export type SealedClaims = JWTPayload & { readonly exp: number }

const ALGORITHMS = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }

/** A sealer whose keys come from one secret, another key for each context. */
export function createSealer(secret: string | Buffer, clock: Pick<Clock, 'now'>): Sealer {
  const keyOf = (context: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, '', `login:jwe:${context}`, 32))
  return {
    seal: (claims, context, endsAtMs) =>
      new EncryptJWT(claims)
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setAudience(context)
        .setExpirationTime(Math.ceil(endsAtMs / 1000))
        .encrypt(keyOf(context)),
    async unseal(text, context) {
      try {
        const checks = { audience: context, requiredClaims: ['exp'], currentDate: new Date(clock.now()) }
        const { payload } = await jwtDecrypt(text, keyOf(context), { ...ALGORITHMS, ...checks })
        return payload as SealedClaims
      } catch (error) {
        if (error instanceof JWTExpired) return 'expired'
        if (error instanceof JOSEError) return undefined
        throw error
      }
    }
  }
}

/** 256 random bits, as text for a cookie or a URL. */
export function randomId(): string {
  return randomBytes(32).toString('base64url')
}
