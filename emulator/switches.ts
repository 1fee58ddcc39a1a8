// Everything that nobody outside CometChat knows (docs/cometchat-facts.md §12), each with the default that the README explains.

/** The switches that choose one of several behaviours. */
export const CHOICES = {
  muid: ['stored', 'dropped'],
  muidDuplicate: ['posted-again', 'first-returned', 'refused'],
  rateLimitHeaders: ['X-Rate-Limit', 'X-RateLimit', 'none'],
  userWindow: ['fixed', 'sliding'],
  deletedParent: ['not-found', 'accepted'],
  blockedByReceiver: ['refused', 'hangs', 'accepted'],
  threadWithoutOnBehalfOf: ['refused', 'app_system'],
  multipleReceivers: ['per-receiver', 'per-receiver-bare', 'single', 'array', 'map', 'ignored', 'refused'],
  metadata: ['echoed', 'missing-in-answer', 'missing'],
  ids: ['string', 'number'],
  conversationId: ['sorted', 'sender-first'],
  notAMember: ['not-joined', 'no-access'],
  ownParent: ['accepted', 'refused'],
  moderation: ['off', 'pending'],
  moderationVerdict: ['approved', 'disapproved', 'blocked'],
  disapproved: ['shown-to-sender', 'shown', 'hidden', 'tombstone'],
  unsettledListedTo: ['everyone', 'sender', 'nobody'],
  tombstones: ['bare', 'whole', 'absent'],
  unknownQuote: ['accepted', 'not-found'],
  editedData: ['members-replaced', 'metadata-merged', 'replaced'],
  deleteAction: ['deleted', 'edited'],
  keyInErrors: ['masked', 'repeated'],
  threadOrder: ['oldest-first', 'newest-first'],
  threadPaging: ['page-and-cursor', 'page', 'cursor', 'ignored'],
  threadCursor: ['exclusive', 'inclusive'],
  threadNext: ['when-not-empty', 'always', 'while-more', 'never'],
  threadMeta: ['next', 'cursor', 'both'],
  authTokenWithoutForce: ['latest', 'new']
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
  userWindow: Choice<'userWindow'>
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
  disapproved: Choice<'disapproved'>
  unsettledListedTo: Choice<'unsettledListedTo'>
  tombstones: Choice<'tombstones'>
  threadCategories: readonly string[]
  unknownQuote: Choice<'unknownQuote'>
  threadSubscribedInAnswers: boolean
  injectedExtensions: readonly string[]
  editedData: Choice<'editedData'>
  deleteAction: Choice<'deleteAction'>
  keyInErrors: Choice<'keyInErrors'>
  dateHeader: boolean
  threadOrder: Choice<'threadOrder'>
  threadPaging: Choice<'threadPaging'>
  threadCursor: Choice<'threadCursor'>
  threadNext: Choice<'threadNext'>
  threadMeta: Choice<'threadMeta'>
  authTokenWithoutForce: Choice<'authTokenWithoutForce'>
  threadPageMax: number | null
  threadGaps: boolean
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
  userWindow: 'fixed',
  messageMaxCharacters: 65_536,
  dataMaxBytes: null,
  deletedParent: 'not-found',
  blockedByReceiver: 'refused',
  threadWithoutOnBehalfOf: 'refused',
  multipleReceivers: 'per-receiver',
  tagsEchoed: false,
  metadata: 'echoed',
  ids: 'string',
  conversationId: 'sorted',
  notAMember: 'not-joined',
  ownParent: 'accepted',
  parentCategories: ['message', 'custom', 'interactive', 'card', 'agentic'],
  moderation: 'off',
  moderationMs: 3000,
  moderationVerdict: 'approved',
  disapproved: 'shown-to-sender',
  unsettledListedTo: 'sender',
  tombstones: 'bare',
  threadCategories: ['message', 'custom', 'interactive', 'card'],
  unknownQuote: 'accepted',
  threadSubscribedInAnswers: false,
  injectedExtensions: [],
  editedData: 'members-replaced',
  deleteAction: 'deleted',
  keyInErrors: 'masked',
  dateHeader: true,
  threadOrder: 'oldest-first',
  threadPaging: 'page-and-cursor',
  threadCursor: 'exclusive',
  threadNext: 'when-not-empty',
  threadMeta: 'next',
  authTokenWithoutForce: 'latest',
  threadPageMax: null,
  threadGaps: false,
  blockedWords: []
}
