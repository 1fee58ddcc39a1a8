declare const brand: unique symbol

/**
 * A user of CometChat on whose behalf a call is made.
 * Only the UID maps of src/auth make one, and every call here requires one: without the header CometChat would act
 * as `app_system`.
 */
export type CometChatUid = string & { readonly [brand]: 'CometChatUid' }

/** CometChat's own rule; it lower-cases anything else, so two users could become one. */
export const UID_PATTERN: RegExp = /^[a-z0-9_-]{1,100}$/
