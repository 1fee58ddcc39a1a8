const MAX_SHOWN = 160

/**
 * A value of a token for a terminal: as JSON, cut, without characters that a terminal obeys. A text that is a token
 * itself is not shown.
 */
export function shown(value: unknown): string {
  if (value === undefined) return 'not there'
  const text = JSON.stringify(value).replaceAll(/[\w-]{8,}(\.[\w-]*){2,4}/g, whole =>
    isToken(whole) ? '(a token)' : whole
  )
  const safe = text.replaceAll(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g, escaped)
  return safe.length > MAX_SHOWN ? `${safe.slice(0, MAX_SHOWN)}…` : safe
}

/** Every compact JWS or JWE begins with a JSON object in base64url. */
function isToken(text: string): boolean {
  return text.startsWith('eyJ')
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
