// The routes alone, in the scope's guard, with a delivery that answers at once.
import fastify from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { CALLER } from '../../src/auth/require-caller.ts'
import type { DeliveredReply, ReplyCommand } from '../../src/delivery/command.ts'
import { AppError } from '../../src/errors.ts'
import { setErrorHandler } from '../../src/http/error-handler.ts'
import { requestGuard } from '../../src/http/guard/request-guard.ts'
import { FACTS, LogFields } from '../../src/observability/log-fields.ts'
import { otherMethodsRoutes } from '../../src/routes/other-methods.ts'
import { REPLIES_ROUTE, repliesRoutes } from '../../src/routes/replies.ts'

const ALICE = { scheme: 'bearer', issuer: 'https://issuer.test', subject: 'alice', uid: 'alice', actors: [] }
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const log = pino({ level: 'silent' })

interface Setup {
  readonly deliver?: (order: ReplyCommand) => Promise<DeliveredReply>
  readonly checkFirst?: () => void
}

async function start(t: Test, { deliver, checkFirst = () => undefined }: Setup = {}) {
  const app = fastify()
  t.teardown(() => app.close())
  const orders: ReplyCommand[] = []
  setErrorHandler(app, { log })
  app.decorateRequest(FACTS)
  app.addHook('onRequest', async request => {
    request[FACTS] = new LogFields()
    Object.assign(request, { [CALLER]: ALICE })
  })
  await app.register(requestGuard, {
    drain: { check: checkFirst },
    idempotencyKeyOf: header => header?.replaceAll('"', ''),
    reservedMetadata: ['bffDelivery']
  })
  await app.register(repliesRoutes, {
    deliver: async order => {
      orders.push(order)
      return deliver
        ? deliver(order)
        : { body: '{"data":{"id":"7","big":9007199254740993}}', messageId: '7', replayed: false }
    },
    explain: async () => {
      throw new Error('nothing is explained here')
    },
    presence: { of: () => () => true },
    multipleReceiversMax: 25,
    categories: ['message', 'custom']
  })
  await app.register(otherMethodsRoutes, { answered: new Map([[REPLIES_ROUTE, new Set(['POST'])]]) })
  const post = (payload: object, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/threads/100/replies', headers, payload })
  return { app, orders, post }
}

t.test('what is delivered is the checked request, and the answer is the text that came', async t => {
  const { orders, post } = await start(t)
  const answer = await post({ data: { text: 'hi' } }, { 'idempotency-key': '"k"', traceparent: TRACEPARENT })

  t.equal(answer.statusCode, 201)
  t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  t.equal(answer.body, '{"data":{"id":"7","big":9007199254740993}}')
  t.notOk('idempotent-replayed' in answer.headers)
  t.notOk('preference-applied' in answer.headers)
  const [order] = orders
  t.match(order, {
    parentId: '100',
    message: { category: 'message', type: 'text', data: { text: 'hi' } },
    author: { uid: 'alice', issuer: 'https://issuer.test', subject: 'alice' },
    idempotencyKey: 'k',
    traceparent: TRACEPARENT,
    facts: { parentId: '100' }
  })
  t.equal(order?.isWaiting(), true)
})

t.test('a preference is said to be applied where it was', async t => {
  const { post } = await start(t)
  const failed = await post({ data: { text: 'hi' } }, { prefer: 'handling=explain' })

  t.equal(failed.statusCode, 500)
  t.notOk('preference-applied' in failed.headers)
})

t.test('what was not sent is not in the order', async t => {
  const { orders, post } = await start(t)
  await post({ data: { text: 'hi' } }, { traceparent: 'not one', prefer: 'wait=soon' })

  for (const name of ['idempotencyKey', 'waitMs', 'traceparent']) t.notOk(name in (orders[0] ?? {}), name)
})

t.test('preferences shorten the wait and the answer', async t => {
  const { orders, post } = await start(t)
  const answer = await post({ data: { text: 'hi' } }, { prefer: 'return=minimal, wait=3' })

  t.equal(orders[0]?.waitMs, 3000)
  t.same(answer.json(), { data: { id: '7' } })
  t.equal(answer.headers['preference-applied'], 'return=minimal')
})

t.test('a replay says so', async t => {
  const { post } = await start(t, { deliver: async () => ({ body: '{}', messageId: '7', replayed: true }) })

  t.equal((await post({ data: { text: 'hi' } })).headers['idempotent-replayed'], 'true')
})

t.test('what cannot be delivered keeps its code', async t => {
  const { post } = await start(t, {
    deliver: () => Promise.reject(new AppError('thread-not-found', 'No such thread.'))
  })
  const answer = await post({ data: { text: 'hi' } })

  t.same([answer.statusCode, answer.json().code], [404, 'thread-not-found'])
})

t.test('a limit is a number, and what a user wrote too much of is theirs to change', async t => {
  const { post } = await start(t)
  const mentions = Array.from({ length: 11 }, (_, index) => `<@uid:u${index}>`).join('')
  for (const [body, whose, error] of [
    [{ data: { text: mentions } }, 'user', { pointer: '/data/text', code: 'too-many', limit: 10, actual: 11 }],
    [{ data: { text: 'x'.repeat(65_536) } }, 'user', { pointer: '', code: 'too-long', limit: 65_536, actual: 65_591 }],
    [{ data: { text: '' } }, 'user', { pointer: '/data/text', code: 'too-short', limit: 1, actual: 0 }],
    [{ data: { text: 'hi' }, tags: ['x'.repeat(101)] }, 'developer', { pointer: '/tags/0', limit: 100, actual: 101 }],
    [{ data: { text: 'hi' }, tag: [] }, 'developer', { pointer: '/tag', code: 'unknown-member', limit: undefined }]
  ] as const) {
    const problem = (await post(body)).json()
    t.match({ limit: undefined, ...problem.errors[0] }, error)
    t.equal(problem.whose, whose, JSON.stringify(error))
  }
})

t.test('a list of 1,001 entries is refused before a schema describes each of them', async t => {
  const { orders, post } = await start(t)
  const numbers = (length: number): number[] => Array.from({ length }, (_, index) => index)
  const detail = 'It may have at most 1000 entries.'
  const crowded = { pointer: '/tags', code: 'too-many', detail, limit: 1000, actual: 1001 }

  const beyond = await post({ data: { text: 'hi' }, tags: numbers(1001) })
  t.same([beyond.statusCode, beyond.json().errors], [422, [crowded]])
  const within = await post({ data: { text: 'hi' }, tags: numbers(1000) })
  t.ok(within.json().errors.length > 1, 'of a thousand the schema names its mistakes')
  const attachment = Object.fromEntries(numbers(30_000).map(index => [`m${index}`, 1]))
  const deep = await post({ type: 'image', data: { attachments: [attachment] } })
  t.same(deep.json().errors, [{ ...crowded, pointer: '/data/attachments/0', actual: 30_000 }])
  t.same(orders, [])

  const own = { list: numbers(5000) }
  const custom = await post({ category: 'custom', type: 'poll', data: { customData: own } })
  t.equal(custom.statusCode, 201, 'customData belongs to the client')
  t.equal((await post({ data: { text: 'hi', metadata: own } })).statusCode, 201, 'and so is metadata')
})

t.test('schema and rules are told apart: first the shape, then what belongs together', async t => {
  const { orders, post } = await start(t)
  const codesOf = async (payload: object): Promise<string[]> =>
    (await post(payload)).json().errors.map(({ code, pointer }: Record<string, string>) => `${code} ${pointer}`)

  t.same(await codesOf({ data: { text: 1 }, receiver: 'bob' }), ['wrong-type /data/text'])
  t.same(await codesOf({ data: {}, receiver: 'bob' }), ['missing /receiverType', 'missing /data/text'])
  t.same(await codesOf({ data: { text: 'x'.repeat(65_536) } }), ['too-long '])
  t.same(orders, [])
})

t.test('an instance that ends takes no reply, although its body is fine', async t => {
  const { orders, post } = await start(t, {
    checkFirst: () => {
      throw new AppError('draining', 'This instance is shutting down.')
    }
  })

  t.equal((await post({ data: { text: 'hi' } })).statusCode, 503)
  t.same(orders, [])
})

t.test('every other method is refused with the one that is not', async t => {
  const { app, orders } = await start(t)
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'] as const) {
    const answer = await app.inject({ method, url: '/threads/100/replies' })
    t.same([answer.statusCode, answer.headers['allow']], [405, 'POST'], method)
  }
  t.same(orders, [])
})

t.test('an address with several methods names all of them', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  setErrorHandler(app, { log })
  await app.register(otherMethodsRoutes, { answered: new Map([['/', new Set(['PATCH', 'GET', 'DELETE'])]]) })
  const answer = await app.inject({ method: 'PUT', url: '/' })
  t.equal(answer.headers['allow'], 'GET, PATCH, DELETE')
  t.equal(answer.json().detail, 'Only GET, PATCH, and DELETE are answered here.')
})
