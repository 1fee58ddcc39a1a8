/** A flag of Node that this service must not be started with. The list in docs/operations.md is held against these. */
interface RefusedFlag {
  /** As the operator knows it; a star stands for whatever else its name may end with. */
  readonly what: string
  readonly pattern: RegExp
  /** Why not; the rest of a sentence that begins with the flag. */
  readonly reason: string
  /** Refused where NODE_ENV is development, too. */
  readonly isAlways?: true
}

/** Flags of Node, in NODE_OPTIONS or on the command line, that open the process or write what it holds into a file. */
export const REFUSED_FLAGS: readonly RefusedFlag[] = [
  {
    what: '--insecure-http-parser',
    pattern: /^--insecure-http-parser$/,
    reason: 'allows request smuggling',
    isAlways: true
  },
  {
    what: '--inspect*',
    pattern: /^--inspect(-|=|$)/,
    reason: 'lets everybody who reaches its port read the key and run code'
  },
  {
    what: '--heapsnapshot-*',
    pattern: /^--heapsnapshot-/,
    reason: 'writes all of the memory, with the key in it, into a file'
  },
  { what: '--heap-prof*', pattern: /^--heap-prof/, reason: 'writes what is in memory into a file' },
  { what: '--cpu-prof*', pattern: /^--cpu-prof/, reason: 'writes what the process does into a file' },
  {
    what: '--report-*',
    pattern: /^--report-/,
    reason: 'writes a report that holds the environment, and so the key, into a file'
  },
  {
    what: '--abort-on-uncaught-exception',
    pattern: /^--abort-on-uncaught-exception$/,
    reason: 'leaves a core dump, which holds the key, behind a bug'
  }
]

/** One sentence for each flag that this service must not be started with. */
export function refusalsOfFlags(flags: readonly string[], isDevelopment: boolean): string[] {
  const refused = REFUSED_FLAGS.filter(({ isAlways }) => isAlways || !isDevelopment)
  return refused.flatMap(({ pattern, reason, isAlways }) => {
    const flag = flags.find(candidate => pattern.test(candidate))?.split('=')[0]
    const advice = isAlways ? 'remove it.' : 'remove it, or set NODE_ENV=development.'
    return flag === undefined ? [] : [`NODE_OPTIONS must not contain ${flag}: it ${reason}; ${advice}`]
  })
}

/** The flags of Node in a text, as Node reads NODE_OPTIONS: quotes go, and `_` in a name is `-`. */
export function flagsIn(text: string): string[] {
  const words = text.replaceAll(/["\\]/g, '').split(/\s+/)
  return words.map(word => word.replace(/^[^=]*/, name => name.replaceAll('_', '-')))
}
