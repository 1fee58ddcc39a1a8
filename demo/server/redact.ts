// Raw requests and answers as a page may see them: each secret becomes its fingerprint.
import { createHash } from 'node:crypto'

export type Redact = (text: string) => string

/** First 8 hex digits of its SHA-256, as the service shows it in its log. */
export function fingerprint(secret: string): string {
  return `sha256:${createHash('sha256').update(secret).digest('hex').slice(0, 8)}`
}

/** Takes the secrets out by their names, and every token and cookie as well. */
export function createRedact(secrets: Readonly<Record<string, string>>): Redact {
  return text => {
    let safe = text
    for (const [name, secret] of Object.entries(secrets)) {
      safe = safe.replaceAll(secret, `(${name}, ${fingerprint(secret)})`)
    }
    return safe
      .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, token => `(a token, ${fingerprint(token)})`)
      .replace(/^((?:set-)?cookie: )(.+)$/gim, (_line, name: string, value: string) => `${name}(${fingerprint(value)})`)
  }
}

/** An HTTP message as text: its first line, its headers, an empty line, its body with JSON over several lines. */
export function asText(firstLine: string, headers: readonly (readonly [string, string])[], body: string): string {
  return [firstLine, ...headers.map(([name, value]) => `${name}: ${value}`), '', pretty(body)].join('\n').trimEnd()
}

/** `rawHeaders` of Node as pairs. */
export function pairsOf(rawHeaders: readonly string[]): [string, string][] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, i) => [rawHeaders[2 * i] ?? '', rawHeaders[2 * i + 1] ?? ''])
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    return text
  }
}
