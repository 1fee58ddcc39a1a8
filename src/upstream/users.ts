import { AppError } from '../errors.ts'
import { isObject, parseJson } from '../lib/json.ts'
import type { CometChatClientOptions } from './cometchat-client.ts'
import type { CometChatUid } from './cometchat-uid.ts'
import { createUserRequest, readUserRequest } from './requests.ts'
import type { CallResult } from './transport/call-result.ts'
import { type AttemptsOptions, type Budget, callWithAttempts } from './transport/retry.ts'
import { alarmFor, toAppError } from './upstream-error.ts'

/** What people see of a new user. */
export interface NewUser {
  readonly name: string
  readonly avatar?: string
}

/** CometChat's calls about users. Both throw an AppError that is always `not-sent`. */
export interface CometChatUsers {
  /** False for a user who was deactivated, too. */
  exists(uid: CometChatUid, budget: Budget): Promise<boolean>
  /** Never changes a user who exists, whatever their state is. */
  create(uid: CometChatUid, user: NewUser, budget: Budget): Promise<'created' | 'exists'>
}

export type CometChatUsersOptions = AttemptsOptions & Pick<CometChatClientOptions, 'onAlarm'>

export function createCometChatUsers(options: CometChatUsersOptions): CometChatUsers {
  function failed(result: CallResult): AppError {
    // A call about a user posts nothing, however it ends.
    const error = toAppError(result, 'read')
    const alarm = alarmFor(error)
    if (alarm) options.onAlarm(alarm)
    return error
  }

  return {
    async exists(uid, budget) {
      const result = await callWithAttempts(options, key => readUserRequest(uid, key), budget, true)
      if (result.refusal?.kind === 'unknown-user') return false
      if (isUser(result, uid)) return true
      throw failed(result)
    },

    async create(uid, user, budget) {
      const result = await callWithAttempts(options, key => createUserRequest(uid, user, key), budget, false)
      if (result.refusal?.kind === 'user-exists') return 'exists'
      if (isUser(result, uid)) return 'created'
      throw failed(result)
    }
  }
}

/** True for a 2xx about this very user. Throws for a 2xx about anything else. */
function isUser({ outcome }: CallResult, uid: CometChatUid): boolean {
  if (outcome.kind !== 'answer' || (outcome.status !== 200 && outcome.status !== 201)) return false
  const envelope = parseJson(outcome.body)
  const user = isObject(envelope) ? envelope['data'] : undefined
  if (isObject(user) && user['uid'] === uid) return true
  throw new AppError('upstream-invalid', 'CometChat described a user in a way that cannot be read.', {
    delivery: 'not-sent'
  })
}
