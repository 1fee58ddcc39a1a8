/** Texts that make a sabotaged service break: before it sends the reply that holds one, or once it is posted. */
export const BREAK_BEFORE = 'break before sending'
export const BREAK_AFTER = 'break after sending'

/** The frames of a bug quote this script: it must not hold the words itself. */
function inWords(text: string): string {
  return `${JSON.stringify(text.split(' '))}.join(' ')`
}

// Before: it cannot be written as JSON. After: CometChat's answer cannot be searched, as it is for leaked keys.
const PRELOADED = `
const { stringify } = JSON
const { includes } = String.prototype
const broken = text => { throw new RangeError('at 127.0.0.1:6379 in node:internal while reading ' + text) }
const has = (text, words) => typeof text === 'string' && includes.call(text, words)
JSON.stringify = (value, ...rest) => {
  const text = stringify(value, ...rest)
  return has(text, ${inWords(BREAK_BEFORE)}) ? broken(text) : text
}
String.prototype.includes = function (...args) {
  const text = String(this)
  return has(text, ${inWords(BREAK_AFTER)}) && has(text, '"sent' + 'At"') ? broken(text) : includes.apply(text, args)
}`

/**
 * An environment in which the service has a bug that shows for two texts.
 * The only way to see from outside what becomes of an error that nobody foresaw.
 */
export function sabotage(): { NODE_OPTIONS: string } {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(PRELOADED)}` }
}
