// What can be changed in a file: one operator, condition, boundary or call at a time, as a hurried hand would.
import { stripTypeScriptTypes } from 'node:module'
import { type Node, parse } from 'acorn'

export interface Mutation {
  readonly file: string
  readonly start: number
  readonly end: number
  readonly replacement: string
  readonly kind: string
}

interface AnyNode extends Node {
  readonly [member: string]: unknown
}

/** A token and what it becomes. `??` stays out of it: its left side alone is a type error wherever it is not equal. */
const OPERATORS: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '+': '-',
  '-': '+',
  '*': '/',
  '&&': '||',
  '||': '&&'
}
const RELATIONS = new Set(['<', '<=', '>', '>=', '===', '!=='])

/** Every mutation of a source text, in the order of the text. */
export function mutationsOf(file: string, source: string): Mutation[] {
  // Types become blanks, so every position is one of the source, too.
  const code = stripTypeScriptTypes(source)
  if (code.length !== source.length) throw new Error(`${file}: positions moved when its types were removed`)
  const found: Mutation[] = []
  const add = (kind: string, start: number, end: number, replacement: string): void => {
    found.push({ file, start, end, replacement, kind })
  }
  visit(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as AnyNode, node => {
    mutateOperator(node, code, add)
    mutateCondition(node, add)
    mutateBoundary(node, add)
    mutateCall(node, code, add)
  })
  return found.sort((a, b) => a.start - b.start || a.end - b.end)
}

type Add = (kind: string, start: number, end: number, replacement: string) => void

function mutateOperator(node: AnyNode, code: string, add: Add): void {
  if (node.type !== 'BinaryExpression' && node.type !== 'LogicalExpression') return
  const operator = String(node['operator'])
  const replacement = OPERATORS[operator]
  if (replacement === undefined || isText(node, operator)) return
  const start = code.indexOf(operator, (node['left'] as AnyNode).end)
  add('operator', start, start + operator.length, replacement)
}

/** Joining texts is no arithmetic. */
function isText(node: AnyNode, operator: string): boolean {
  const sides = [node['left'], node['right']] as AnyNode[]
  const isString = (side: AnyNode): boolean =>
    side.type === 'TemplateLiteral' || (side.type === 'Literal' && typeof side['value'] === 'string')
  return operator === '+' && sides.some(isString)
}

function mutateCondition(node: AnyNode, add: Add): void {
  if (node.type === 'UnaryExpression' && node['operator'] === '!') {
    add('condition', node.start, (node['argument'] as AnyNode).start, '')
  }
  if (node.type === 'Literal' && typeof node['value'] === 'boolean')
    add('condition', node.start, node.end, String(!node['value']))
  if (node.type !== 'IfStatement' && node.type !== 'ConditionalExpression') return
  const test = node['test'] as AnyNode
  add('condition', test.start, test.end, 'true')
  add('condition', test.start, test.end, 'false')
}

function mutateBoundary(node: AnyNode, add: Add): void {
  if (node.type !== 'BinaryExpression' || !RELATIONS.has(String(node['operator']))) return
  for (const side of [node['left'], node['right']] as AnyNode[]) {
    if (side.type === 'Literal' && typeof side['value'] === 'number')
      add('boundary', side.start, side.end, String(side['value'] + 1))
  }
}

function mutateCall(node: AnyNode, code: string, add: Add): void {
  if (node.type !== 'ExpressionStatement') return
  let expression = node['expression'] as AnyNode
  while (['AwaitExpression', 'UnaryExpression', 'ChainExpression'].includes(expression.type))
    expression = (expression['argument'] ?? expression['expression']) as AnyNode
  // What an object needs to exist cannot be left out.
  if (expression.type !== 'CallExpression' || code.startsWith('super', expression.start)) return
  add('removed call', expression.start, expression.end, 'undefined')
}

function visit(node: AnyNode, see: (node: AnyNode) => void): void {
  see(node)
  for (const member of Object.values(node)) {
    for (const child of Array.isArray(member) ? member : [member]) {
      if (typeof child === 'object' && child !== null && typeof child.type === 'string') visit(child, see)
    }
  }
}
