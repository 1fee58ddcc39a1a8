// What became of a message that is moderated (docs/cometchat-facts.md §0.7, §3.1).
import type { Switches } from './switches.ts'
import type { ModerationStatus, StoredMessage } from './types.ts'

interface Moderation {
  readonly switches: Switches
  readonly now: () => number
}

/** The types of category `message` that CometChat documents as moderated. */
const MODERATED_TYPES = ['text', 'image', 'video']

export const isModerated = ({ moderation }: Switches, category: string, type: string): boolean =>
  moderation === 'pending' && category === 'message' && MODERATED_TYPES.includes(type)

/** Undefined for a message that nobody moderates. */
export function moderationStatus(message: StoredMessage, { switches, now }: Moderation): ModerationStatus | undefined {
  if (message.verdict !== null) return message.verdict.status
  if (!message.moderated) return undefined
  return now() < message.sentAtMs + switches.moderationMs ? 'pending' : switches.moderationVerdict
}

export function isDisapproved(message: StoredMessage, moderation: Moderation): boolean {
  const status = moderationStatus(message, moderation)
  return status === 'disapproved' || status === 'blocked'
}

/** Whether moderation left a tombstone of it. */
export const isRemovedByModeration = (message: StoredMessage, moderation: Moderation): boolean =>
  moderation.switches.disapproved === 'tombstone' && isDisapproved(message, moderation)
