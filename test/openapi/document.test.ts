// docs/openapi.json and docs/http.md against the service: its routes, its schemas, its table of problems.
import { globSync, readFileSync } from 'node:fs'
import { pino } from 'pino'
import t from 'tap'
import { createService } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { PROBLEMS } from '../../src/lib/refusals/problems.ts'
import { openApiDocument } from '../../src/routes/openapi/document.ts'
import { PROBLEM_CODES } from '../helpers/problem.ts'
import { registeredRoutes } from '../helpers/registered-routes.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET } from '../helpers/tokens.ts'
import { createJudge, pointerOf } from './ajv.ts'
import {
  type ApiAnswer,
  type ApiExample,
  type ApiParameter,
  type Content,
  DOCUMENT_FILE,
  documentText,
  PAGE_FILE,
  readDocument,
  resolved
} from './files.ts'
import { httpPage } from './http-page.ts'

const PAGE = 'https://app.example.com'
const document = readDocument()
const judge = createJudge(document)
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))
)
const { app, routes } = await registeredRoutes(async () => {
  const everything = {
    STORE_URL: 'memory:',
    COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
    COMETCHAT_APP_ID: 'app',
    COMETCHAT_REGION: 'eu',
    COMETCHAT_API_KEY: 'key',
    COMETCHAT_TOKENS: 'on',
    OPENAPI: 'on',
    CORS_ORIGINS: PAGE,
    AUTH_JWT_ISSUER: ISSUER,
    AUTH_JWT_AUDIENCE: AUDIENCE,
    AUTH_JWT_SECRET: SHARED_SECRET,
    AUTH_LOGIN_ISSUER: 'http://127.0.0.1:1',
    AUTH_LOGIN_URL: 'https://replies.example.com',
    AUTH_LOGIN_CLIENT_ID: 'replies',
    AUTH_LOGIN_CLIENT_SECRET: 'y'.repeat(32)
  }
  return (
    await createService(
      loadConfig(everything, () => ''),
      { log: pino({ level: 'silent' }) }
    )
  ).app
})
t.teardown(() => app.close())
const answered = routes.filter(({ method, config }) => config?.operation !== 'refuse-method' && method !== 'HEAD')

t.test('the files are what `npm run openapi` writes', async t => {
  t.equal(readFileSync(DOCUMENT_FILE, 'utf8'), documentText(openApiDocument()))
  t.equal(readFileSync(PAGE_FILE, 'utf8'), httpPage(document))
})

t.test('every route of the service is in it, and no other', async t => {
  const camelCase = (name = ''): string => name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

  t.strictSame(
    operations.map(({ path, method, operation }) => `${method} ${path} ${operation.operationId}`).sort(),
    answered
      .map(({ method, url, config }) =>
        [method.toLowerCase(), url.replaceAll(/:(\w+)/g, '{$1}'), camelCase(config?.operation)].join(' ')
      )
      .sort()
  )
})

t.test('every header that a page may send or read is in it', async t => {
  const inDocument = (names: object): string[] => Object.keys(names).map(name => name.toLowerCase())
  const listOf = (value: unknown): string[] => String(value).split(', ')
  const preflight = { origin: PAGE, 'access-control-request-method': 'POST' }
  const { headers } = await app.inject({ method: 'OPTIONS', url: '/threads/1/replies', headers: preflight })

  // Credentials and types stand elsewhere in a document; the others are tolerated, and nothing reads them.
  const others = 'authorization content-type last-event-id tracestate baggage sentry-trace'.split(' ')
  const sent = [...inDocument(document.components.parameters), ...others]
  t.strictSame(
    listOf(headers['access-control-allow-headers']).filter(name => !sent.includes(name)),
    []
  )
  const read = inDocument(document.components.headers)
  t.strictSame(
    listOf(headers['access-control-expose-headers']).filter(name => !read.includes(name)),
    []
  )
})

t.test('what a route reads and answers by a schema is in it', async t => {
  const namesIn = (schema: unknown): string[] => Object.keys(Object(Object(schema).properties)).sort()
  for (const { method, url, schema } of answered) {
    if (!schema) continue
    const operation = document.paths[url.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
    const parameters = operation?.parameters.map(part => resolved<ApiParameter>(document, part)) ?? []
    const namesOf = (place: string) => parameters.filter(part => part.in === place).map(({ name }) => name)
    t.strictSame(namesOf('path').sort(), namesIn(schema.params), `${method} ${url}: the path`)
    t.strictSame(namesOf('query').sort(), namesIn(schema.querystring), 'the query')
    t.equal(operation?.requestBody !== undefined, schema.body !== undefined, 'the body')
    const statuses = Object.keys(operation?.responses ?? {}).filter(status => Number(status) < 400)
    t.strictSame(statuses, Object.keys(Object(schema.response)), 'the statuses')
  }
})

t.test('every body has an example, and every example is what its schema describes', async t => {
  const check = (content: Content | undefined, ...place: string[]): void => {
    for (const [type, { examples = {} }] of Object.entries(content ?? {})) {
      if (type === 'text/html') continue
      t.ok(Object.keys(examples).length > 0, `${place.join(' ')} has an example`)
      for (const [name, part] of Object.entries(examples)) {
        const { value } = resolved<ApiExample>(document, part)
        t.equal(judge(pointerOf(...place, 'content', type, 'schema'), value), undefined, `${place.join(' ')}: ${name}`)
      }
    }
  }
  for (const { path, method, operation } of operations) {
    check(operation.requestBody?.content, 'paths', path, method, 'requestBody')
    for (const [status, answer] of Object.entries(operation.responses)) {
      if ('content' in answer) check(answer.content, 'paths', path, method, 'responses', status)
    }
  }
  for (const [name, { content }] of Object.entries(document.components.responses)) {
    check(content, 'components', 'responses', name)
  }
})

t.test('every problem has an example that an answer shows, in words of the service', async t => {
  const shown = new Set<string>()
  for (const { operation } of operations) {
    for (const [status, part] of Object.entries(operation.responses)) {
      const { content } = resolved<ApiAnswer>(document, part)
      for (const code of Object.keys(content?.['application/problem+json']?.examples ?? {})) {
        t.equal(String(PROBLEMS[code as keyof typeof PROBLEMS].status), status, `${code} in ${operation.operationId}`)
        shown.add(code)
      }
    }
  }
  t.strictSame([...shown].sort(), Object.keys(PROBLEMS).sort())
  t.strictSame(Object.keys(document.components.examples), Object.keys(PROBLEMS))

  const folder = new URL('../../src/', import.meta.url)
  const source = globSync('**/*.ts', { cwd: folder.pathname, exclude: ['routes/openapi/**'] })
    .map(file => readFileSync(new URL(file, folder), 'utf8'))
    .join('\n')
  const withNumbersAndNames = ['ambiguous-credentials', 'idempotency-key-invalid', 'method-not-allowed']
  for (const [code, { value }] of Object.entries(document.components.examples)) {
    const { detail } = value as { detail: string }
    if (!withNumbersAndNames.includes(code)) t.ok(source.includes(detail), `${code}: ${detail}`)
  }
})

t.test('the table of problems that tests produce from outside has the same codes', async t => {
  t.strictSame([...PROBLEM_CODES].sort(), Object.keys(PROBLEMS).sort())
})

t.test('every answer says which headers it always has', async t => {
  for (const { operation } of operations) {
    for (const part of Object.values(operation.responses)) {
      const names = Object.keys(resolved<ApiAnswer>(document, part).headers)
      for (const name of ['X-Request-Id', 'Cache-Control', 'X-Content-Type-Options']) t.ok(names.includes(name))
    }
  }
})

t.test('the README has a body that it describes', async t => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, body = ''] = /-d '(\{.*\})'/.exec(readme) ?? []

  t.equal(judge('/components/schemas/ReplyInput', JSON.parse(body)), undefined)
  t.match(judge('/components/schemas/ReplyInput', { data: {} }), /\S/)
})
