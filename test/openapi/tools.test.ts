// What the tools of others make of docs/openapi.json: a linter, and a generator of types with the compiler.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { withoutPackages } from '../helpers/installed-packages.ts'
import { createJudge } from './ajv.ts'
import { type ApiExample, type Content, DOCUMENT_FILE, readDocument, resolved } from './files.ts'

const FOLDER = new URL('./', import.meta.url)
const PACKAGES = fileURLToPath(new URL('node_modules/', FOLDER))
/** That of the project, not the older one that the generator needs. */
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', FOLDER))
const skip = withoutPackages(FOLDER)

function run(program: string, args: readonly string[]) {
  const env = { PATH: process.env['PATH'], REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  return spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' })
}

t.test('Redocly has nothing to say of it', { skip }, async t => {
  const lint = (file: string) => {
    const { stdout, stderr } = run(`${PACKAGES}@redocly/cli/bin/cli.js`, [
      'lint',
      file,
      '--extends=recommended-strict',
      // A sign-in answers with redirects.
      '--skip-rule=operation-2xx-response',
      '--format=json'
    ])
    t.match(stdout, /^\s*\{/, stderr)
    return JSON.parse(stdout.slice(stdout.indexOf('{'), stdout.lastIndexOf('}') + 1))
  }
  const { totals, problems } = lint(DOCUMENT_FILE)
  t.strictSame([totals, problems], [{ errors: 0, warnings: 0, ignored: 0 }, []])

  const wrong = join(t.testdir(), 'wrong.json')
  writeFileSync(
    wrong,
    readFileSync(DOCUMENT_FILE, 'utf8').replace('"operationId": "postReply"', '"operationId": "showIdentity"')
  )
  t.match(lint(wrong).problems, [{ ruleId: 'operation-operationId-unique' }])
})

const document = readDocument()
const INPUT = "components['schemas']['ReplyInput']"
const EDIT = "components['schemas']['EditInput']"

/** What the compiler must not take, nor whoever checks a body against the document, each for its reason. */
const WRONG: readonly (readonly [type: string, value: unknown, why: string])[] = [
  [INPUT, { data: {} }, 'a message without content'],
  [INPUT, {}, 'no data'],
  [INPUT, { data: { text: 1 } }, 'a text that is a number'],
  [INPUT, { text: 'x' }, 'a text outside of data'],
  [INPUT, { data: { text: 'x' }, sender: 'bob' }, 'a sender, which the credential alone names'],
  [INPUT, { data: { text: 'x' }, receiver: 'bob', receiverType: 'bot' }, 'a kind of receiver that CometChat lacks'],
  [INPUT, { data: { text: 'x' }, tags: 'pinned' }, 'tags that are no list'],
  [INPUT, { data: { text: 'x' }, multipleReceivers: { uids: 'carol' } }, 'receivers that are no list'],
  [INPUT, { type: 'image', data: { text: 'x' } }, 'an image without a file'],
  [INPUT, { type: 'image', data: { attachments: [{ url: 'https://a.test/x' }] } }, 'a file without a name'],
  [INPUT, { type: 'poll', data: { text: 'x' } }, 'a type that the category lacks'],
  [INPUT, { category: 'custom', data: { text: 'x' } }, 'a custom message without customData'],
  [INPUT, { category: 'interactive', data: { text: 'x' } }, 'an interactive one without interactiveData'],
  [INPUT, { category: 'card', data: { text: 'x' } }, 'a card without card or fallbackText'],
  [EDIT, {}, 'an edit of nothing'],
  [EDIT, { data: { text: 1 } }, 'an edit to a number'],
  [EDIT, { data: { text: 'x' }, receiver: 'bob' }, 'a receiver, which no edit changes'],
  [
    "components['schemas']['Me']",
    { issuer: 'https://id.example.com/', subject: 'alice', scheme: 'bearer' },
    'a caller without a uid'
  ],
  ["components['schemas']['ReplyCreated']", { data: { sender: 'alice' } }, 'a message without what each has'],
  ["components['schemas']['ReplyKnown']", { delivery: 'perhaps' }, 'a delivery beside sent, not-sent and unknown']
]

/** Every example, with the name of the type that it must have. */
function examples(): (readonly [type: string, value: unknown])[] {
  const found: (readonly [type: string, value: unknown])[] = []
  const add = (place: string, content: Content | undefined): void => {
    for (const [mediaType, { examples: parts = {} }] of Object.entries(content ?? {})) {
      for (const part of Object.values(parts)) {
        found.push([`${place}['content']['${mediaType}']`, resolved<ApiExample>(document, part).value])
      }
    }
  }
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { requestBody, responses }] of Object.entries(methods)) {
      const operation = `paths['${path}']['${method}']`
      add(`NonNullable<${operation}['requestBody']>`, requestBody?.content)
      for (const [status, answer] of Object.entries(responses)) {
        if ('content' in answer) add(`${operation}['responses'][${status}]`, answer.content)
      }
    }
  }
  for (const [name, { content }] of Object.entries(document.components.responses)) {
    add(`components['responses']['${name}']`, content)
  }
  return found
}

t.test('openapi-typescript makes types of it that fit every example and no wrong body', { skip }, async t => {
  const directory = t.testdir()
  const types = run(`${PACKAGES}openapi-typescript/bin/cli.js`, [DOCUMENT_FILE, '-o', join(directory, 'api.ts')])
  t.equal(types.status, 0, types.stderr)
  const compile = (lines: readonly string[]) => {
    const file = join(directory, 'use.ts')
    writeFileSync(file, `import type { components, paths } from './api.ts'\n${lines.join('\n')}\n`)
    const flags = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--allowImportingTsExtensions']
    return run(TSC, [...flags, '--target', 'es2024', '--module', 'nodenext', file])
  }
  const lineOf = ([type, value]: readonly [string, unknown], index: number): string =>
    `export const value${index}: ${type} = ${JSON.stringify(value)}`
  const [, readmeBody = ''] = /-d '(\{.*\})'/.exec(readFileSync(new URL('../../README.md', FOLDER), 'utf8')) ?? []
  const right = [...examples(), [INPUT, JSON.parse(readmeBody)] as const]

  t.ok(right.length > 100, `${right.length} examples`)
  const fit = compile(right.map(lineOf))
  t.equal(fit.status, 0, fit.stdout.slice(0, 3000))
  const refused = compile(
    WRONG.flatMap(([type, value, why], index) => [`// @ts-expect-error refuses ${why}`, lineOf([type, value], index)])
  )
  t.equal(refused.status, 0, refused.stdout.slice(0, 3000))
  t.not(
    compile(WRONG.slice(0, 1).map(([type, value], index) => lineOf([type, value], index))).status,
    0,
    'what is wrong is said'
  )
})

t.test('what the compiler must not take is not described either', async t => {
  const judge = createJudge(document)
  for (const [type, value, why] of WRONG) {
    const [, name = ''] = /\['(\w+)'\]$/.exec(type) ?? []
    t.ok(judge(`/components/schemas/${name}`, value), `${name}: ${why}`)
  }
})
