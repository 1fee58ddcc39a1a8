// Where a request may be explained: the scope asks, whatever its routes are.
import fastify from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { principalFrom } from '../../src/auth/bearer/claims.ts'
import { CALLER } from '../../src/auth/require-caller.ts'
import { setErrorHandler } from '../../src/http/error-handler.ts'
import { FACTS, LogFields } from '../../src/observability/log-fields.ts'
import { checkExplain } from '../../src/routes/explain-guard.ts'

const app = fastify()
let mayExplain: boolean | undefined
let reason: string | undefined
let done: string[] = []
setErrorHandler(app, { log: pino({ level: 'silent' }) })
app.decorateRequest(FACTS)
app.addHook('onRequest', async request => {
  request[FACTS] = new LogFields()
  Object.assign(request, { [CALLER]: { ...(mayExplain && { mayExplain }) } })
  checkExplain(request)
})
app.addHook('onSend', async ({ [FACTS]: facts }) => {
  reason = facts.reason
})
for (const method of ['GET', 'POST', 'PATCH', 'DELETE'] as const) {
  app.route({ method, url: '/', handler: async () => ({ done: done.push(method) }) })
}
app.post('/explains', { config: { explains: true } }, async () => ({ done: done.push('explains') }))

async function ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, prefer = 'handling=explain') {
  reason = undefined
  done = []
  const { statusCode } = await app.inject({ method, url, headers: { prefer } })
  return [statusCode, reason, done.length]
}

t.test('without the scope nothing that changes anything is done', async t => {
  mayExplain = undefined
  for (const method of ['POST', 'PATCH', 'DELETE'] as const) {
    t.same(await ask(method, '/'), [403, 'explain-scope', 0], method)
  }
  t.same(await ask('POST', '/explains'), [403, 'explain-scope', 0])
  t.same(await ask('GET', '/'), [200, undefined, 1], 'a read changes nothing')
  t.same(await ask('POST', '/', 'handling=strict'), [200, undefined, 1])
})

t.test('with the scope a route that cannot explain refuses, and one that can is asked', async t => {
  mayExplain = true
  for (const method of ['POST', 'PATCH', 'DELETE'] as const) {
    t.same(await ask(method, '/'), [403, 'explain-route', 0], method)
  }
  t.same(await ask('POST', '/explains'), [200, undefined, 1])
})

t.test('the scope may stand wherever scopes stand, and nowhere where none is asked for', async t => {
  const rules = { issuer: 'i', usersOf: 'i', audiences: undefined, claims: [], scope: undefined, actScope: undefined }
  const named = { ...rules, uidClaim: 'sub', explainScope: 'explain' }
  for (const claims of [
    { scope: 'a explain' },
    { scp: ['explain'] },
    { roles: ['explain', 'a'] },
    { permissions: ['explain'] }
  ]) {
    t.equal(principalFrom({ sub: 'alice', ...claims }, named).mayExplain, true, JSON.stringify(claims))
    t.equal(principalFrom({ sub: 'alice', ...claims }, { ...named, explainScope: undefined }).mayExplain, undefined)
  }
  for (const scope of ['explainer', 'Explain', 'a', '', undefined]) {
    t.equal(principalFrom({ sub: 'alice', scope }, named).mayExplain, undefined, String(scope))
  }
})
