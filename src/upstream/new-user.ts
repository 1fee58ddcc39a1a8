import type { CometChatUid } from './cometchat-uid.ts'
import type { NewUser } from './users.ts'

/** How the identity provider describes a sender; for people to see, never to decide anything. */
export interface SenderProfile {
  readonly name?: string
  readonly picture?: string
}

const MAX_NAME_CHARACTERS = 100
const MAX_AVATAR_LENGTH = 500
/** Control and format characters: they can hide a part of a name, or write it backwards. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu

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
