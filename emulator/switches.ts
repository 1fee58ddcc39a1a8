// Everything that nobody outside CometChat knows (docs/cometchat-facts.md §12), each with the default that the README explains.

/** The switches that choose one of several behaviours. */
const CHOICES = {
  muid: ['stored', 'dropped'],
  muidDuplicate: ['posted-again', 'first-returned', 'refused'],
  rateLimitHeaders: ['X-Rate-Limit', 'X-RateLimit', 'none'],
  deletedParent: ['not-found', 'accepted'],
  blockedByReceiver: ['refused', 'hangs', 'accepted'],
  threadWithoutOnBehalfOf: ['refused', 'app_system'],
  multipleReceivers: ['single', 'array', 'map', 'ignored', 'refused'],
  metadata: ['echoed', 'missing-in-answer', 'missing'],
  ids: ['string', 'number'],
  conversationId: ['sorted', 'sender-first'],
  notAMember: ['not-joined', 'no-access'],
  ownParent: ['accepted', 'refused'],
  moderation: ['off', 'pending'],
  moderationVerdict: ['approved', 'disapproved'],
  unsettledListedTo: ['everyone', 'sender', 'nobody'],
  threadOrder: ['oldest-first', 'newest-first']
} as const

type Choice<Name extends keyof typeof CHOICES> = (typeof CHOICES)[Name][number]

export interface Switches {
  /** HTTP status by error code, where the documented guess is not what a test needs. */
  statuses: Readonly<Record<string, number>>
  receiverMayBeOmitted: boolean
  categoryAndTypeMayBeOmitted: boolean
  muid: Choice<'muid'>
  muidDuplicate: Choice<'muidDuplicate'>
  rateLimitHeaders: Choice<'rateLimitHeaders'>
  appOperationsPerMinute: number | null
  userMessagesPerMinute: number | null
  messageMaxCharacters: number
  dataMaxBytes: number | null
  deletedParent: Choice<'deletedParent'>
  blockedByReceiver: Choice<'blockedByReceiver'>
  threadWithoutOnBehalfOf: Choice<'threadWithoutOnBehalfOf'>
  multipleReceivers: Choice<'multipleReceivers'>
  tagsEchoed: boolean
  metadata: Choice<'metadata'>
  ids: Choice<'ids'>
  conversationId: Choice<'conversationId'>
  notAMember: Choice<'notAMember'>
  ownParent: Choice<'ownParent'>
  parentCategories: readonly string[]
  moderation: Choice<'moderation'>
  moderationMs: number
  moderationVerdict: Choice<'moderationVerdict'>
  unsettledListedTo: Choice<'unsettledListedTo'>
  threadOrder: Choice<'threadOrder'>
  blockedWords: readonly string[]
}

export const DEFAULT_SWITCHES: Readonly<Switches> = {
  statuses: {},
  receiverMayBeOmitted: false,
  categoryAndTypeMayBeOmitted: true,
  muid: 'stored',
  muidDuplicate: 'posted-again',
  rateLimitHeaders: 'X-Rate-Limit',
  appOperationsPerMinute: null,
  userMessagesPerMinute: null,
  messageMaxCharacters: 65_536,
  dataMaxBytes: null,
  deletedParent: 'not-found',
  blockedByReceiver: 'refused',
  threadWithoutOnBehalfOf: 'refused',
  multipleReceivers: 'single',
  tagsEchoed: false,
  metadata: 'echoed',
  ids: 'string',
  conversationId: 'sorted',
  notAMember: 'not-joined',
  ownParent: 'accepted',
  parentCategories: ['message', 'custom', 'interactive', 'card'],
  moderation: 'off',
  moderationMs: 3000,
  moderationVerdict: 'approved',
  unsettledListedTo: 'sender',
  threadOrder: 'oldest-first',
  blockedWords: []
}

interface Shape {
  readonly words: string
  readonly fits: (value: unknown) => boolean
}

const isNumber = (value: unknown): boolean => typeof value === 'number'

function shapeOf(name: keyof Switches): Shape {
  const choices: readonly unknown[] | undefined = Object.entries(CHOICES).find(([known]) => known === name)?.[1]
  if (choices) return { words: choices.join(', '), fits: value => choices.includes(value) }
  const usual = DEFAULT_SWITCHES[name]
  if (usual === null) return { words: 'a number or null', fits: value => value === null || isNumber(value) }
  if (Array.isArray(usual)) return { words: 'a list of strings', fits: Array.isArray }
  if (typeof usual === 'boolean') return { words: 'true or false', fits: value => typeof value === 'boolean' }
  if (typeof usual === 'number') return { words: 'a number', fits: isNumber }
  return { words: '{"code":status}', fits: value => typeof value === 'object' && value !== null }
}

const isSwitch = (name: string): name is keyof Switches => Object.hasOwn(DEFAULT_SWITCHES, name)

/** Changes switches by name, for those who have only text; throws one sentence when a name or a value is wrong. */
export function applySwitches(switches: Switches, changes: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(changes)) {
    if (!isSwitch(name)) {
      throw new Error(`there is no switch "${name}"; there are ${Object.keys(DEFAULT_SWITCHES).join(', ')}`)
    }
    const { words, fits } = shapeOf(name)
    if (!fits(value)) throw new Error(`the switch "${name}" takes ${words}`)
    Object.assign(switches, { [name]: value })
  }
}
