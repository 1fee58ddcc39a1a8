const MAX_NAMES = 1000
const MAX_NAME_LENGTH = 64

/**
 * Remembers what a function says of names: clients repeat theirs. Up to 1,000 names of up to 64 characters; a client that
 * sends ever new names only costs what the function costs anyway.
 */
export function rememberNames<T extends NonNullable<unknown> | null>(read: (name: string) => T): (name: string) => T {
  const remembered = new Map<string, T>()
  return name => {
    const known = remembered.get(name)
    if (known !== undefined) return known
    if (remembered.size >= MAX_NAMES) remembered.clear()
    const value = read(name)
    if (name.length <= MAX_NAME_LENGTH) remembered.set(name, value)
    return value
  }
}
