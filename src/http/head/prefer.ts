export interface Preferences {
  /** `wait=N` (RFC 7240 §4.3), in milliseconds. */
  readonly waitMs?: number
  /** `return=minimal` (RFC 7240 §4.2). */
  readonly minimal: boolean
}

/** Reads a `Prefer` header; what it does not know it ignores, as RFC 7240 §2 asks. */
export function parsePrefer(value: string | undefined): Preferences {
  if (value === undefined) return { minimal: false }
  const [first] = value.matchAll(/(?:^|[,;])[ \t]*wait[ \t]*=[ \t]*"?(\d{1,6})"?[ \t]*(?=[,;]|$)/gi)
  const minimal = /(?:^|,)[ \t]*return[ \t]*=[ \t]*"?minimal"?[ \t]*(?=[,;]|$)/i.test(value)
  return { minimal, ...(first?.[1] !== undefined && { waitMs: Number(first[1]) * 1000 }) }
}
