// What Node hands over of a header are its bytes, one character each (latin1). JavaScript's own `trim`, `\s` and
// `toLowerCase` think in Unicode, where U+00A0 is a blank: they would take one name for another.

const UPPER_CASE = /[A-Z]+/g
const LOWER_CASE = /[a-z]+/g

/** Removes the blanks of HTTP around a text, SP and HTAB (RFC 9110 §5.6.3), and nothing else. */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text, start)) start++
  while (end > start && isBlank(text, end - 1)) end--
  return text.slice(start, end)
}

/** Lower-cases A to Z and nothing else, as names in HTTP are compared (RFC 9110 §5.1). */
export function asciiLowerCase(text: string): string {
  return text.replace(UPPER_CASE, letters => letters.toLowerCase())
}

/** Upper-cases a to z and nothing else. */
export function asciiUpperCase(text: string): string {
  return text.replace(LOWER_CASE, letters => letters.toUpperCase())
}

function isBlank(text: string, place: number): boolean {
  const code = text.charCodeAt(place)
  return code === 0x20 || code === 0x09
}
