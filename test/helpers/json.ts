/** JSON that a test reads out of an answer: what it expects of it is what it asserts. */
export type Json = ReturnType<typeof JSON.parse>
