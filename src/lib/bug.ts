const MAX_FRAMES = 12

/** Name and stack frames of what was thrown; not its message, which may quote anything. */
export function describeBug(thrown: unknown): { readonly errorName: string; readonly frames: readonly string[] } {
  if (!(thrown instanceof Error)) return { errorName: typeof thrown, frames: [] }
  const frames = (thrown.stack ?? '').split('\n').filter(line => /^ +at /.test(line))
  return { errorName: thrown.name, frames: frames.slice(0, MAX_FRAMES) }
}
