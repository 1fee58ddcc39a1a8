// As much of Helm's templates as the chart uses: {{ .a.b }}, {{ $name }}, | quote, if, range over a map, end, and the
// dash that takes white space away. Anything else is an error: the chart must stay this plain, or be rendered by Helm.

export type Values = { readonly [name: string]: unknown }

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly path: string; readonly isQuoted: boolean }
  | { readonly kind: 'if'; readonly path: string; readonly body: readonly Node[] }
  | {
      readonly kind: 'range'
      readonly names: readonly [string, string]
      readonly path: string
      readonly body: readonly Node[]
    }

const PATH = String.raw`(?:\$[a-z]+|\.[A-Za-z]+(?:\.[A-Za-z]+)*)`
const VALUE = new RegExp(`^(${PATH})( \\| quote)?$`)
const IF = new RegExp(`^if (${PATH})$`)
const RANGE = new RegExp(`^range (\\$[a-z]+), (\\$[a-z]+) := (${PATH})$`)

/** `root` is what the dot of a chart holds: Values, Release. */
export function renderTemplate(text: string, root: Values): string {
  const tokens = [...tokensOf(text)]
  const nodes = parse(tokens)
  if (tokens.length > 0) throw new Error('an end too many')
  return write(nodes, root, new Map())
}

/** Text and actions in turn; a dash takes the white space beside it. */
function* tokensOf(text: string): Generator<{ readonly text: string } | { readonly action: string }> {
  let rest = text
  for (
    let match = /\{\{(-?)\s*(.*?)\s*(-?)\}\}/s.exec(rest);
    match;
    match = /\{\{(-?)\s*(.*?)\s*(-?)\}\}/s.exec(rest)
  ) {
    const [whole, left, action = '', right] = match
    const before = rest.slice(0, match.index)
    yield { text: left ? before.trimEnd() : before }
    yield { action }
    rest = rest.slice(match.index + whole.length)
    if (right) rest = rest.trimStart()
  }
  yield { text: rest }
}

/** Takes the tokens up to the end of a block, or all of them. */
function parse(tokens: ({ readonly text: string } | { readonly action: string })[]): Node[] {
  const nodes: Node[] = []
  for (let token = tokens.shift(); token; token = tokens.shift()) {
    if ('text' in token) nodes.push({ kind: 'text', text: token.text })
    else if (token.action === 'end') return nodes
    else nodes.push(nodeOf(token.action, tokens))
  }
  return nodes
}

function nodeOf(action: string, tokens: Parameters<typeof parse>[0]): Node {
  const [, value, quote] = VALUE.exec(action) ?? []
  if (value !== undefined) return { kind: 'value', path: value, isQuoted: quote !== undefined }
  const [, condition] = IF.exec(action) ?? []
  if (condition !== undefined) return { kind: 'if', path: condition, body: parse(tokens) }
  const [, key = '', item = '', path] = RANGE.exec(action) ?? []
  if (path !== undefined) return { kind: 'range', names: [key, item], path, body: parse(tokens) }
  throw new Error(`no action that the chart may use: ${action}`)
}

function write(nodes: readonly Node[], root: Values, variables: ReadonlyMap<string, unknown>): string {
  return nodes.map(node => writeNode(node, root, variables)).join('')
}

function writeNode(node: Node, root: Values, variables: ReadonlyMap<string, unknown>): string {
  if (node.kind === 'text') return node.text
  const found = node.path.startsWith('$') ? variables.get(node.path) : lookUp(root, node.path)
  if (node.kind === 'value') {
    if (found === undefined || found === null || typeof found === 'object') throw new Error(`no value: ${node.path}`)
    return node.isQuoted ? JSON.stringify(String(found)) : String(found)
  }
  if (node.kind === 'if') return found ? write(node.body, root, variables) : ''
  // Go ranges over a map in the order of its keys.
  return Object.entries(found ?? {})
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, item]) => write(node.body, root, new Map([...variables, [node.names[0], key], [node.names[1], item]])))
    .join('')
}

function lookUp(root: Values, path: string): unknown {
  return path
    .slice(1)
    .split('.')
    .reduce<unknown>((found, name) => (found as Values | undefined)?.[name], root)
}
