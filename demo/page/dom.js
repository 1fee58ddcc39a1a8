// Elements without markup in texts: nothing that comes from outside is ever read as HTML.

/**
 * Makes an element. Properties beginning with `on` are listeners, `data` and `aria` are members of those names, the rest
 * are attributes; false and undefined leave one out.
 * @param {string} name
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string | false | undefined)} children
 */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) set(element, key, value)
  element.append(...children.filter(child => child !== false && child !== undefined))
  return element
}

function set(element, key, value) {
  if (value === false || value === undefined) return
  if (key.startsWith('on')) element.addEventListener(key.slice(2), value)
  else if (key === 'data') Object.assign(element.dataset, value)
  else element.setAttribute(key, value === true ? '' : String(value))
}

/** An element of SVG. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  element.append(...children)
  return element
}

/** An element of the page, which has to be there. */
export function byId(id) {
  const element = document.getElementById(id)
  if (!element) throw new Error(`The page has no #${id}.`)
  return element
}

/** Asks the demo's server; resolves with the JSON of the answer, or undefined where it refuses or is away. */
export async function ask(path, body) {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const answer = await fetch(path, init).catch(() => undefined)
  return answer?.ok ? answer.json() : undefined
}
