declare const brand: unique symbol

/**
 * A user of CometChat on whose behalf a call is made.
 * Only the UID maps of src/auth make one, and every call here requires one: without the header CometChat would act
 * as `app_system`.
 */
export type CometChatUid = string & { readonly [brand]: 'CometChatUid' }

/** CometChat's own rule; it lower-cases anything else, so two users could become one. */
const UID_PATTERN = /^[a-z0-9_-]{1,100}$/
/** The sender of what CometChat says itself. */
const APP_SYSTEM = 'app_system'

/** Whether somebody may speak as this user: a UID as CometChat keeps it, and not its own. */
export function isCometChatUid(text: string): text is CometChatUid {
  return UID_PATTERN.test(text) && text !== APP_SYSTEM
}
