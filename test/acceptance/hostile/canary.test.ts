import { randomBytes } from 'node:crypto'
import t from 'tap'
import { type Fault, NAMED_FAULTS } from '../../../emulator/faults.ts'
import { type HostileAnswer, hostileBytes, openHostile } from '../../helpers/hostile-client.ts'
import { formsOf, type Haystack, leaksIn } from '../../helpers/leaks.ts'
import { runService } from '../../helpers/service-process.ts'
import { startTargetProcess } from '../../helpers/target.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const apiKey = `kEy+${randomBytes(12).toString('hex')}/%~='`
const sharedSecret = `shared-${randomBytes(20).toString('hex')}`
const text = `text-${randomBytes(12).toString('hex')}`
const target = await startTargetProcess(t, {
  env: { LOG_LEVEL: 'trace', REPLY_DEADLINE_MS: '400', AUTH_JWT_SECRET: sharedSecret },
  emulator: { apiKeys: [{ key: apiKey, scope: 'fullAccess' }], switches: { keyInErrors: 'repeated' } },
  mint: user => tokenFor(user, { secret: sharedSecret })
})
const token = target.tokens.alice
const [, payload = '', signature = ''] = token.split('.')
const secrets = {
  'the API key': apiKey,
  'the token': token,
  'its signature': signature,
  'its payload': payload,
  'the shared secret': sharedSecret
}
const body = { data: { text, metadata: { note: text } }, tags: [text] }

/** Everything that left the service, but for its log. */
const seen: Haystack[] = []
/** The same without the answers that may hold the text of the message. */
const seenElsewhere: Haystack[] = []
const statuses = new Set<number>()

function keep(where: string, status: number, head: string, answer: string): void {
  statuses.add(status)
  seen.push({ where: `${where} (${status})`, text: head + answer })
  seenElsewhere.push({ where: `${where} (${status})`, text: status === 201 ? head : head + answer })
}

async function reply(where: string, attempt: Parameters<typeof target.post>[0] = {}): Promise<void> {
  const { status, headers, text: answer } = await target.post({ token, body, ...attempt })
  keep(where, status, JSON.stringify([...headers]), answer)
}

async function sendRaw(where: string, bytes: string | Buffer): Promise<void> {
  const client = openHostile(target.service.url)
  client.send(bytes)
  const answers: HostileAnswer[] = await client.waitForAnswers(1)
  client.socket.destroy()
  for (const answer of answers) keep(where, answer.status, answer.head, answer.body)
}

const repeatsKey = (status: number, code: string): Fault => ({
  kind: 'error',
  status,
  code,
  message: `The key ${apiKey} ${text} is not good.`,
  devMessage: `apikey=${apiKey}`,
  details: { apikey: [apiKey, text] }
})

/** Answers that repeat the key, besides the named faults. */
const ECHOES: Record<string, Fault> = {
  ...Object.fromEntries(
    [400, 401, 403, 404, 409, 413, 417, 422, 429, 500, 503].map(status => [
      `error text, ${status}`,
      repeatsKey(status, 'ERR_BAD_REQUEST')
    ])
  ),
  'error code': repeatsKey(400, apiKey),
  'error code of the key': repeatsKey(403, `AUTH_ERR_${apiKey}`),
  'error code of a message': repeatsKey(403, 'ERR_MESSAGE_NO_ACCESS'),
  'error in a 200': { kind: 'error-in-200', code: apiKey },
  'a redirect': { kind: 'redirect', location: `http://127.0.0.1:9/${encodeURIComponent(apiKey)}` },
  'a header': { kind: 'answer', status: 429, headers: { 'retry-after': apiKey, [`x-${'key'}`]: apiKey }, body: apiKey },
  'a reason phrase': { kind: 'answer', status: 400, rawStatusLine: `HTTP/1.1 400 ${apiKey}`, body: apiKey },
  'a page': { kind: 'answer', status: 502, headers: { 'content-type': 'text/html' }, body: `<html>${apiKey} ${text}` },
  'an answer that is no HTTP': { kind: 'raw', bytes: `${apiKey}\r\n${text}\r\n\r\n` },
  'a broken header': { kind: 'raw', bytes: `HTTP/1.1 200 OK\r\n${apiKey}\r\n\r\n` },
  ...Object.fromEntries(
    [204, 206, 226, 299, 300, 304, 399, 418, 451, 499, 599, 999].map(status => [
      `status ${status}`,
      { kind: 'answer', status, body: JSON.stringify({ data: apiKey, error: apiKey }) }
    ])
  ),
  ...Object.fromEntries(
    Object.entries(formsOf(apiKey))
      .filter(([form]) => form !== 'reversed')
      .map(([form, echo]) => [`a 200 that repeats it as ${form}`, { kind: 'break-schema', set: { note: `x${echo}y` } }])
  ),
  'a 200 whose id is the key': { kind: 'break-schema', set: { id: apiKey } },
  'a 200 whose sender is the key': { kind: 'break-schema', set: { sender: apiKey } },
  'a 200 with the key as a name': { kind: 'break-schema', set: { [apiKey]: 1 } }
}

t.test('no fault of CometChat brings the key, the token or the text to anybody', async t => {
  for (const method of ['POST', 'GET']) {
    for (const [name, fault] of Object.entries({ ...NAMED_FAULTS, ...ECHOES })) {
      // A thread that nobody has asked about makes the service read its parent.
      const { id } = target.emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
      if (method === 'GET' && /stall|drip|late|delay/.test(name)) continue
      target.emulator.failNext(fault, { method })
      await reply(`${method} with ${name}`, { parentId: id })
      target.emulator.clear()
    }
  }
  t.notOk(statuses.has(500), 'and none is a bug of the service')
  t.ok(statuses.has(502) && statuses.has(504) && statuses.has(201), [...statuses].join(' '))
})

t.test('no attempt of a client brings them back either', async t => {
  const bad = `${token.slice(0, -6)}AAAAAA`
  await reply('a broken signature', { token: bad })
  await reply('a token with blanks', { token: `${token} x` })
  await reply('a reserved header', { headers: { apikey: apiKey } })
  await reply('a reserved member', { body: { ...body, apikey: apiKey, authToken: token } })
  await reply('the key as a receiver', { body: { ...body, receiver: apiKey, receiverType: token } })
  await reply('the text in every place', {
    body: { data: { text: [text], url: text }, type: text, category: text, tags: text }
  })
  await reply('no JSON', { body: `{"data":{"text":"${text}` })
  await reply('a hostile length', { body: JSON.stringify({ data: { text: text.repeat(3000) } }) })
  await reply('another thread', { parentId: encodeURIComponent(token) })
  await reply('an idempotency key', { headers: { 'idempotency-key': `"${text}""` } })
  await reply('preferences', { headers: { prefer: `wait=${token}` } })
  const lines = target.goodLines()
  for (const [where, line] of Object.entries({
    'a token in the query': `POST ${target.path}?access_token=${token} HTTP/1.1`,
    'a token in the path': `POST /threads/${token}/replies HTTP/1.1`,
    'a token nowhere': `POST /${token}/${encodeURIComponent(apiKey)} HTTP/1.1`,
    'a token in a path that cannot be decoded': `POST /${token}%zz HTTP/1.1`,
    'a token as method': `${token} / HTTP/1.1`
  })) {
    await sendRaw(where, `${line}\r\nHost: ${token}\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`)
  }
  for (const [where, line] of Object.entries({
    'a request id': `X-Request-Id: ${token}`,
    'two credentials': `Authorization: Bearer ${token}`,
    'a cookie': `Cookie: connect.sid=${token}`,
    'an encoding': `Content-Encoding: ${signature}`,
    'an expectation': `Expect: ${signature}`,
    'a broken line': apiKey,
    'an origin': `Origin: https://${signature}.example`
  })) {
    await sendRaw(where, hostileBytes({ target: target.path, lines: [...lines, line], body: JSON.stringify(body) }))
  }
  t.notOk(statuses.has(500))
})

t.test('neither probes nor a check of the configuration show them', async t => {
  for (const path of ['/livez', '/readyz?verbose', '/metrics', `/${token}`, `/${token}%zz`]) {
    const response = await fetch(target.service.adminUrl + path)
    keep(path, response.status, JSON.stringify([...response.headers]), await response.text())
  }
  const env = { COMETCHAT_BASE_URL: target.emulator.url, COMETCHAT_API_KEY: apiKey, AUTH_JWT_SECRET: sharedSecret }
  for (const [where, more] of Object.entries({
    'a good configuration': {},
    'a wrong configuration': {
      COMETCHAT_REGION: apiKey,
      AUTH_JWT_ISSUER: `${apiKey} x`,
      PORT: sharedSecret,
      UID_MODE: sharedSecret
    },
    'a key that is none': { COMETCHAT_API_KEY: `${apiKey} ${apiKey}` },
    'a secret in the wrong place': {
      COMETCHAT_BASE_URL: `https://${sharedSecret}@chat.example/`,
      STORE_URL: sharedSecret
    }
  })) {
    const { output, errors } = await runService({ ...env, ...more }, ['--check-config'])
    keep(where, 0, output, errors)
  }
  t.ok(seen.length > 150)
})

t.test('nothing that left the service holds the key, the token or the text, in any form', async t => {
  await target.service.stop('SIGTERM')
  const log: Haystack[] = [
    { where: 'the log', text: target.service.output.join('\n') },
    { where: 'standard error', text: target.service.errors.join('') }
  ]

  t.same(leaksIn([...seen, ...log], secrets), [])
  t.same(leaksIn([...seenElsewhere, ...log], { 'the text': text }), [])
  t.ok(
    target.service.logLines().filter(({ msg }) => msg === 'request').length > 100,
    'the log is the one of these requests'
  )
})

t.test('the search finds each secret in each of its forms', async t => {
  for (const [name, secret] of Object.entries({ ...secrets, 'the text': text })) {
    for (const [form, needle] of Object.entries(formsOf(secret))) {
      const found = leaksIn([{ where: 'a control', text: `before${needle}behind` }], { [name]: secret })
      t.ok(found.includes(`${name}, ${form}, in a control`), `${name}, ${form}`)
    }
    for (const padding of ['', 'x', 'xy']) {
      const whole = Buffer.from(`${padding}${secret}, and more`)
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        t.not(
          leaksIn([{ where: 'a control', text: whole.toString(encoding) }], { [name]: secret }).length,
          0,
          `${name} in ${encoding}`
        )
      }
    }
  }
  t.not(leaksIn(seen, { 'the text': text }).length, 0, 'and the text in the answers that may hold it')
})
