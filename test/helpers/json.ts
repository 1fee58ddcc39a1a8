/** JSON that a test reads out of an answer: what it expects of it is what it asserts. */
// biome-ignore lint/suspicious/noExplicitAny: a narrower type would have to be asserted before every assertion.
export type Json = any
