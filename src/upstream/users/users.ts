import { AppError } from '../../errors.ts'
import { isObject, parseJson } from '../../lib/json.ts'
import type { CometChatUid } from '../../lib/service/cometchat-uid.ts'
import { createCallErrors } from '../call-errors.ts'
import { createUserRequest, readUserRequest } from '../requests.ts'
import type { CallResult } from '../transport/call-result.ts'
import { type RetryOptions, requestWithRetries } from '../transport/retry.ts'
import type { Deadline, NewUser, SenderProfile } from '../types.ts'

const MAX_NAME_CHARACTERS = 100
const MAX_AVATAR_LENGTH = 500
/** Control and format characters: they can hide a part of a name, or write it backwards. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu

/** CometChat's calls about users. Both throw an AppError that is always `not-sent`. */
export interface CometChatUsers {
  /** False for a user who was deactivated, too. */
  exists(uid: CometChatUid, deadline: Deadline): Promise<boolean>
  /** Never changes a user who exists, whatever their state is. */
  create(uid: CometChatUid, user: NewUser, deadline: Deadline): Promise<'created' | 'exists'>
}

export function createCometChatUsers(options: RetryOptions): CometChatUsers {
  const { failed } = createCallErrors(options)

  return {
    async exists(uid, deadline) {
      const result = await requestWithRetries(options, key => readUserRequest(uid, key), deadline, true)
      if (result.refusal?.kind === 'unknown-user') return false
      if (isUser(result, uid)) return true
      // A call about a user posts nothing, however it ends.
      throw failed(result, 'read')
    },

    async create(uid, user, deadline) {
      const result = await requestWithRetries(options, key => createUserRequest(uid, user, key), deadline, false)
      if (result.refusal?.kind === 'user-exists') return 'exists'
      if (isUser(result, uid)) return 'created'
      // A call about a user posts nothing, however it ends.
      throw failed(result, 'read')
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
    delivery: 'not-sent',
    reason: 'user-unreadable'
  })
}

/** The user that is created for a sender: their name or else the UID, and a picture only by https. */
export function newUserFrom(uid: CometChatUid, { name, picture }: SenderProfile = {}): NewUser {
  const shown = name?.isWellFormed() ? name.replace(INVISIBLE, ' ').trim() : ''
  const avatar = avatarFrom(picture)
  return {
    name: shown === '' ? uid : [...shown].slice(0, MAX_NAME_CHARACTERS).join(''),
    ...(avatar !== undefined && { avatar })
  }
}

function avatarFrom(picture: string | undefined): string | undefined {
  if (picture === undefined || picture.length > MAX_AVATAR_LENGTH || !URL.canParse(picture)) return undefined
  const { protocol, username, password, href } = new URL(picture)
  const isPlain = protocol === 'https:' && username === '' && password === ''
  return isPlain && href.length <= MAX_AVATAR_LENGTH ? href : undefined
}
