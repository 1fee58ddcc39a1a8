// The forms of texts that are configured in several places.

/** An issuer, an audience, or a name for whose users they are. */
export const ISSUER = /^\S{1,512}$/
/** A scope token (RFC 6749 §3.3). */
export const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/
export const MEDIA_TYPE = /^[\w.+/-]{1,64}$/
/** The whole name of a claim, or a path of names with dots between them. */
export const CLAIM_NAME = /^[\w:/.-]{1,128}$/
/** What names begin with. */
export const PREFIX = /^[\x21-\x7e]{1,128}$/
