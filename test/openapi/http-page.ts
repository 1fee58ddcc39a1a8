// docs/http.md, made from the document: every member of what is sent and answered in a table, for people.
import {
  type ApiAnswer,
  type ApiOperation,
  type ApiParameter,
  type ApiSchema,
  type Content,
  type OpenApi,
  type Reference,
  resolved
} from './files.ts'
import { anchorOf, typeOf } from './words.ts'

const INTRO = `# HTTP

Everything that can be sent and answered, made from [openapi.json](openapi.json) by \`npm run openapi\`: types and clients come from
there, and with \`OPENAPI=on\` it is served at \`/openapi.json\`. What a refusal means and what to do about it: [problems.md](problems.md);
what becomes of a reply: [delivery.md](delivery.md); threads: [thread.md](thread.md); credentials: [authentication.md](authentication.md).
`

export function httpPage(whole: object): string {
  const document = whole as OpenApi
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation }))
  )
  const sent = reachable(
    document,
    operations.map(({ operation }) => operation.requestBody?.content)
  )
  const answered = Object.keys(document.components.schemas).filter(name => !sent.has(name))
  return [
    INTRO,
    table(
      ['address', 'what it does'],
      operations.map(({ name, operation }) => [`[\`${name}\`](#${anchorOf(name)})`, operation.summary])
    ),
    ...operations.map(({ name, operation }) => operationText(document, name, operation)),
    '## What is sent\n',
    ...[...sent].sort().map(name => schemaText(document, name)),
    '## What is answered\n',
    ...answered.map(name => schemaText(document, name)),
    '## Headers of requests\n',
    table(
      ['header', 'meaning'],
      Object.entries(document.components.parameters).map(([name, { description }]) => [`\`${name}\``, description])
    ),
    '## Headers of answers\n',
    table(
      ['header', 'meaning'],
      Object.entries(document.components.headers).map(([name, { description }]) => [`\`${name}\``, description])
    )
  ].join('\n')
}

function operationText(document: OpenApi, name: string, operation: ApiOperation): string {
  const parameters = operation.parameters.map(part => resolved<ApiParameter>(document, part))
  const answers = Object.entries(operation.responses).map(
    ([status, part]) => [status, resolved<ApiAnswer>(document, part)] as const
  )
  const body = operation.requestBody
  return [
    `## ${name}\n`,
    `${operation.description}${credentials(operation)}\n`,
    table(
      ['parameter', 'in', 'what it is', 'meaning'],
      parameters
        .filter(({ in: place }) => place !== 'header')
        .map(({ name: parameter, in: place, required, schema, description }) => [
          `\`${parameter}\`${required ? ', needed' : ''}`,
          place,
          typeOf(schema),
          description
        ])
    ),
    `Headers: ${parameters.flatMap(({ name: header, in: place }) => (place === 'header' ? [`\`${header}\``] : [])).join(', ')}.\n`,
    body ? `Body: ${contentText(body.content)}${body.required ? '' : ', or none'}.\n` : '',
    exampleText(body?.content),
    table(
      ['status', 'meaning', 'body', 'headers beside those of every answer'],
      answers
        .filter(([status]) => Number(status) < 400)
        .map(([status, { description, content, headers }]) => [
          `\`${status}\``,
          description,
          content ? contentText(content) : 'none',
          headersText(headers)
        ])
    ),
    table(
      ['status', 'refused with'],
      answers
        .filter(([status]) => Number(status) >= 400)
        .map(([status, { description }]) => [`\`${status}\``, [...description.matchAll(/`[a-z-]+`(?=:)/g)].join(', ')])
    )
  ]
    .filter(text => text !== '')
    .join('\n')
}

function credentials({ security }: ApiOperation): string {
  if (security.length === 0) return ' Anybody may ask.'
  return security.length > 1 ? '' : ' With the cookie of the sign-in.'
}

const ON_EVERY_ANSWER = /^(X-Request-Id|Cache-Control|X-Content-Type-Options)$/

function headersText(headers: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(headers).filter(name => !ON_EVERY_ANSWER.test(name))
  return names.map(name => `\`${name}\``).join(', ')
}

function contentText(content: Content): string {
  const texts = Object.entries(content).map(([type, { schema }]) =>
    type === 'application/json' ? typeOf(schema) : `${typeOf(schema)} as \`${type}\``
  )
  return texts.join(', or ')
}

function exampleText(content: Content | undefined): string {
  const examples = Object.values(content?.['application/json']?.examples ?? {})
  const bodies = examples.flatMap(example => ('value' in example ? [`    ${JSON.stringify(example.value)}`] : []))
  return bodies.length > 0 ? `${bodies.join('\n')}\n` : ''
}

function schemaText(document: OpenApi, name: string): string {
  const schema = resolved<ApiSchema>(document, { $ref: `#/components/schemas/${name}` })
  const { description = '', oneOf, anyOf = oneOf, allOf = [] } = schema
  const own = [schema, ...allOf.filter(part => !part.$ref)]
  const required = own.flatMap(part => part.required ?? [])
  const members = own.flatMap(part => Object.entries(part.properties ?? {}))
  const others = allOf.filter(part => part.$ref).map(typeOf)
  const absent = members.filter(([, member]) => member.not).map(([member]) => `\`${member}\``)
  return [
    `### ${name}\n`,
    `${description}${anyOf ? `\n\nOne of: ${anyOf.map(typeOf).join(', ')}.` : ''}\n`,
    table(
      ['member', 'what it is', 'meaning'],
      members
        .filter(([, member]) => !member.not)
        .map(([member, part]) => [
          `\`${member}\`${required.includes(member) ? ', needed' : ''}`,
          typeOf(part),
          part.description ?? (part.$ref ? (resolved<ApiSchema>(document, part as Reference).description ?? '') : '')
        ])
    ),
    others.length > 0 ? `Also the members of ${others.join(', ')}.\n` : '',
    absent.length > 0 ? `Not with it: ${absent.join(', ')}.\n` : ''
  ]
    .filter(text => text !== '')
    .join('\n')
}

/** Components that contents refer to, and what those refer to. */
function reachable(document: OpenApi, parts: readonly unknown[]): Set<string> {
  const found = new Set<string>()
  const visit = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part ?? null).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (found.has(name)) continue
      found.add(name)
      visit(document.components.schemas[name])
    }
  }
  for (const part of parts) visit(part)
  return found
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const lines = [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.map(cellText).join(' | ')} |`)
  return `${lines.join('\n')}\n`
}

function cellText(text: string): string {
  return text.replaceAll('\n', ' ').replaceAll('|', '\\|')
}
