// Looks for secrets in everything that leaves a service, in the forms in which a leak is still a leak.

export interface Haystack {
  readonly where: string
  readonly text: string
}

/** The forms of a secret, by name; base64 has one for each alignment, without what depends on the neighbours. */
export function formsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret)
  const encoded = encodeURIComponent(secret)
  const aligned = [0, 1, 2].map(offset => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    return text.slice(offset === 0 ? 0 : 4, -4)
  })
  return {
    plain: secret,
    'JSON text': JSON.stringify(secret).slice(1, -1),
    'URL-encoded': encoded,
    'URL-encoded, lower case': encoded.replaceAll(/%[0-9A-F]{2}/g, code => code.toLowerCase()),
    hex: bytes.toString('hex'),
    'hex in capitals': bytes.toString('hex').toUpperCase(),
    reversed: [...secret].reverse().join(''),
    ...Object.fromEntries(aligned.map((text, offset) => [`base64 at ${offset}`, text])),
    ...Object.fromEntries(
      aligned.map((text, offset) => [`base64url at ${offset}`, text.replaceAll('+', '-').replaceAll('/', '_')])
    )
  }
}

/** Where each secret was found, and in which form; empty when nothing leaked. */
export function leaksIn(haystacks: readonly Haystack[], secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(formsOf(secret)).flatMap(([form, needle]) =>
      haystacks.filter(({ text }) => text.includes(needle)).map(({ where }) => `${name}, ${form}, in ${where}`)
    )
  )
}
