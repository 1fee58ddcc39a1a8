import { AppError } from '../../errors.ts'
import { isObject, parseJson } from '../../lib/json.ts'
import { Secret } from '../../lib/secret.ts'
import type { CometChatUid } from '../../lib/service/cometchat-uid.ts'
import { createCallErrors } from '../call-errors.ts'
import type { EnsuringClient } from '../ensure-sender.ts'
import { createAuthTokenRequest, revokeAuthTokenRequest } from '../requests.ts'
import { type RetryOptions, requestWithRetries } from '../transport/retry.ts'
import type { Deadline, SenderProfile } from '../types.ts'

/** What CometChat's SDK signs a user in with. Every method throws an AppError that is always `not-sent`. */
export interface AuthTokens {
  /** One more token for a user, who is created where that is switched on. */
  create(uid: CometChatUid, deadline: Deadline, profile?: SenderProfile): Promise<Secret>
  /** Resolves once CometChat does not know the token any more. */
  revoke(uid: CometChatUid, token: Secret, deadline: Deadline): Promise<void>
}

export interface AuthTokensOptions extends RetryOptions {
  /** Calls for a user; once more after that user was created, where that is switched on. */
  readonly forSender: EnsuringClient['forSender']
}

/** The documented form is `<uid>_<Unix seconds><hexadecimal digits>`; whatever fits into a path is taken. */
const AUTH_TOKEN = /^(?=.*[A-Za-z0-9])[\x21-\x7e]{8,2048}$/

export function createAuthTokens(options: AuthTokensOptions): AuthTokens {
  const { keyring, emit, forSender } = options
  const { failed } = createCallErrors(options)

  async function createOnce(uid: CometChatUid, deadline: Deadline): Promise<Secret> {
    const result = await requestWithRetries(options, key => createAuthTokenRequest(uid, key), deadline, false)
    const { outcome } = result
    if (outcome.kind !== 'answer' || (outcome.status !== 200 && outcome.status !== 201)) throw failed(result, 'read')
    const token = tokenIn(outcome.body, uid)
    if (token === undefined) throw unreadable()
    if (!keyring.leaksIn(token)) return new Secret(token)
    emit({ name: 'alarm', alarm: 'key-echoed' })
    throw unreadable()
  }

  return {
    create: (uid, deadline, profile) =>
      forSender(() => createOnce(uid, deadline), { uid, ...(profile && { profile }) }, deadline),

    async revoke(uid, token, deadline) {
      const result = await requestWithRetries(options, key => revokeAuthTokenRequest(uid, token, key), deadline, true)
      const { outcome, refusal } = result
      // A user who is not there has no tokens.
      if (refusal?.kind === 'gone' || refusal?.kind === 'unknown-user') return
      if (outcome.kind !== 'answer' || outcome.status >= 300) throw failed(result, 'read')
    }
  }
}

/** The token in an answer about this very user. */
function tokenIn(bytes: Uint8Array, uid: CometChatUid): string | undefined {
  const envelope = parseJson(bytes)
  const data = isObject(envelope) ? envelope['data'] : undefined
  if (!isObject(data) || data['uid'] !== uid) return undefined
  const { authToken } = data
  return typeof authToken === 'string' && AUTH_TOKEN.test(authToken) ? authToken : undefined
}

function unreadable(): AppError {
  return new AppError('upstream-invalid', 'CometChat gave an auth token that cannot be read.', {
    delivery: 'not-sent',
    reason: 'auth-token-unreadable'
  })
}
