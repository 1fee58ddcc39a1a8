import { PROBLEM_MEDIA_TYPE } from '../../http/problem.ts'
import { ProblemSchema } from '../../http/problem-schema.ts'
import { asciiUpperCase } from '../../lib/ascii.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import { groupBy } from '../../lib/node20/group-by.ts'
import { PROBLEMS, type ProblemCode } from '../../lib/refusals/problems.ts'
import { VERSION } from '../../lib/service/version.ts'
import { Components } from './components.ts'
import { ALWAYS, ANSWER_HEADERS, type AnswerHeader, REQUEST_HEADERS } from './headers.ts'
import { DOCUMENT_OPERATION, LOGIN_OPERATIONS } from './login-operations.ts'
import type { Answer, Body, Examples, Operation } from './operation.ts'
import { OPERATIONS } from './operations.ts'
import { problemExample } from './problem-examples.ts'
import { SECURITY, SECURITY_SCHEMES } from './security.ts'

const CODES = Object.keys(PROBLEMS) as ProblemCode[]
const LIMITS: readonly AnswerHeader[] = ['RateLimit', 'RateLimit-Policy']
/** Whose limits would be told is not known then. */
const WITHOUT_CALLER: ReadonlySet<number> = new Set([401, 405, 408, 431])
/** On a page, for people. */
const PAGE_HEADERS: readonly AnswerHeader[] = ['Content-Security-Policy', 'X-Frame-Options']
/** Header by status, where any refusal with it can have one. */
const OF_STATUS: Readonly<Record<number, readonly AnswerHeader[]>> = {
  401: ['WWW-Authenticate'],
  403: ['WWW-Authenticate'],
  405: ['Allow']
}
/** Everything that a caller can send and be answered, as OpenAPI 3.1: the same for every instance, whatever is switched on there. */
export function openApiDocument(): JsonObject {
  const components = new Components()
  const paths: Record<string, JsonObject> = {}
  for (const operation of [...OPERATIONS, ...LOGIN_OPERATIONS, DOCUMENT_OPERATION]) {
    const url = operation.url.replaceAll(/:(\w+)/g, '{$1}')
    paths[url] = { ...paths[url], [operation.method]: written(operation, components) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'thread-reply-bff',
      version: VERSION,
      summary: 'Replies in CometChat threads, as the signed-in user.',
      description: DESCRIPTION,
      license: { name: 'None: all rights reserved', identifier: 'LicenseRef-UNLICENSED' }
    },
    servers: [{ url: '/', description: 'Where this document is served.' }],
    tags: [
      { name: 'Replies', description: "The caller's own replies." },
      { name: 'Threads', description: 'What the caller may read.' },
      { name: 'Callers', description: 'Who is calling.' },
      { name: 'Sign-in', description: 'A sign-in of its own, where `AUTH_LOGIN_ISSUER` names a provider.' },
      { name: 'Document', description: 'What you are reading.' }
    ],
    paths,
    components: {
      schemas: components.schemas,
      responses: components.refusals,
      examples: Object.fromEntries(CODES.map(code => [code, exampleOf(code)])),
      headers: Object.fromEntries(Object.entries(ANSWER_HEADERS).map(([name, header]) => [name, described(header)])),
      parameters: Object.fromEntries(
        Object.entries(REQUEST_HEADERS).map(([name, header]) => [name, { name, in: 'header', ...described(header) }])
      ),
      securitySchemes: SECURITY_SCHEMES
    }
  }
}

const DESCRIPTION = [
  'Every answer says what became of the reply: a problem (RFC 9457) has `delivery`, which is `sent`, `not-sent` or `unknown`, and',
  '`retryable`, whether the same request may be sent again. A member of a body that is not named here is refused, but for those of',
  'an object that says so. Which routes are switched on is up to the instance: the others answer `404 not-found`.'
].join('\n')

function written(operation: Operation, components: Components): JsonObject {
  const { operation: name, tag, summary, description, security, body } = operation
  const parameters = [
    ...parametersOf('path', operation.params, components),
    ...parametersOf('query', operation.query, components),
    ...(operation.headers ?? []).map(header => ({ $ref: `#/components/parameters/${header}` }))
  ]
  return {
    operationId: name.replaceAll(/-(\w)/g, (_, letter: string) => asciiUpperCase(letter)),
    tags: [tag],
    summary,
    description,
    security: SECURITY[security],
    parameters,
    ...(body && { requestBody: { required: body.isOptional !== true, content: contentOf(body, components) } }),
    responses: { ...answersOf(operation, components), ...problemsOf(operation, components) }
  }
}

function parametersOf(place: 'path' | 'query', schema: Operation['params'], components: Components): JsonObject[] {
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => {
    const { description, ...rest } = components.add(property)
    return { name, in: place, ...(place === 'path' && { required: true }), description, schema: rest }
  })
}

function answersOf(operation: Operation, components: Components): JsonObject {
  const { answers, always = [], security } = operation
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, headers = [], body }]: [string, Answer]) => [
      status,
      {
        description,
        headers: headersOf([...ALWAYS, ...always, ...(security === 'caller' ? LIMITS : []), ...headers]),
        ...(body && { content: contentOf(body, components) })
      }
    ])
  )
}

/** One answer for each status, with the problems that it can stand for. */
function problemsOf({ problems, always = [], security, hasPages }: Operation, components: Components): JsonObject {
  const ofPages = hasPages ? PAGE_HEADERS : []
  const codes = CODES.filter(code => problems.includes(code))
  const byStatus = Object.fromEntries(groupBy(codes, code => PROBLEMS[code].status))
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, found]) => {
      const limits = security === 'caller' && !WITHOUT_CALLER.has(Number(status)) ? LIMITS : []
      const later = found.some(code => PROBLEMS[code].retryable !== 'no') ? (['Retry-After'] as const) : []
      const page = { schema: { type: 'string', description: 'The same as a page, for people.' } }
      const refusal = {
        description: found.map(code => `\`${code}\`: ${PROBLEMS[code].title}.`).join('\n'),
        headers: headersOf([
          ...ALWAYS,
          ...always,
          ...ofPages,
          ...limits,
          ...later,
          ...(OF_STATUS[Number(status)] ?? [])
        ]),
        content: {
          [PROBLEM_MEDIA_TYPE]: {
            schema: problemSchema(Number(status), found, components),
            examples: Object.fromEntries(found.map(code => [code, { $ref: `#/components/examples/${code}` }]))
          },
          ...(hasPages && { 'text/html': page })
        }
      }
      return [status, components.addRefusal(status, refusal)]
    })
  )
}

function problemSchema(status: number, codes: readonly ProblemCode[], components: Components): JsonObject {
  const here = { status: { const: status }, code: { type: 'string', enum: codes } }
  return { allOf: [components.add(ProblemSchema), { type: 'object', properties: here }] }
}

function contentOf(
  { schema, mediaType = 'application/json', examples = {} }: Body,
  components: Components
): JsonObject {
  return { [mediaType]: { schema: components.add(schema), examples: examplesOf(examples) } }
}

function examplesOf(examples: Examples): JsonObject {
  return Object.fromEntries(
    Object.entries(examples).map(([name, value]) => [name.replaceAll(' ', '-'), { summary: name, value }])
  )
}

function exampleOf(code: ProblemCode): JsonObject {
  return { summary: PROBLEMS[code].title, value: problemExample(code) }
}

function headersOf(names: readonly AnswerHeader[]): JsonObject {
  return Object.fromEntries(names.map(name => [name, { $ref: `#/components/headers/${name}` }]))
}

function described({ schema, ...words }: { readonly schema: object }): JsonObject {
  return { ...words, schema: isObject(schema) ? { ...schema } : {} }
}
