import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Browser, type Visit } from '../../helpers/browser.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { SESSION_COOKIE, startLogin, startLoginProcess } from '../../helpers/login.ts'

const program = { accept: '*/*' }

t.test('a provider that is away at the start is a 503 until it is there; the service starts all the same', async t => {
  const world = await startLoginProcess(t)
  await world.service.stop()
  await world.provider.stop()
  await hostService(t, world.serviceEnv)

  const asProgram = await new Browser().visit(`${world.origin}/auth/login`, { headers: program })
  const asPerson = await new Browser().visit(`${world.origin}/auth/login`)

  isUnavailable(t, asProgram)
  t.equal(asPerson.status, 503)
  t.match(asPerson.headers.get('content-type'), 'text/html')
  t.match(asPerson.text, 'identity-provider-unavailable')
  t.notMatch(asPerson.text, /ECONNREFUSED|127\.0\.0\.1/)

  await world.provider.resume()
  // The pause after a failure, so that an outage is not answered with a flood; a process has a clock of its own.
  await sleep(1100)
  const browser = await world.signIn()
  t.equal((await world.me(browser)).status, 200)
})

t.test('a provider that goes away later stops new sign-ins, and nothing else', async t => {
  const world = await startLogin(t)
  const signedIn = await world.signIn()
  const half = new Browser()
  const callback = await world.untilCallback(half)

  await world.provider.stop()

  isUnavailable(t, await half.visit(callback, { headers: program }))
  t.notOk(half.cookie(world.origin, SESSION_COOKIE))
  t.equal((await world.me(signedIn)).status, 200)
  t.equal((await world.reply(signedIn)).status, 201)
  t.equal((await world.logout(signedIn)).status, 200, 'signing out works without it')
  t.equal((await world.me(signedIn)).status, 401)
})

t.test('whatever the token endpoint does, the answer is ours and nobody is signed in', async t => {
  const world = await startLogin(t)
  const text = 'canary-text-of-the-provider'
  const cases: readonly (readonly [string, number, string, (response: ServerResponse) => void])[] = [
    ['500', 503, 'identity-provider-unavailable', answer(500, text)],
    ['HTML', 503, 'identity-provider-unavailable', answer(200, `<html>${text}`, 'text/html')],
    ['half a body', 503, 'identity-provider-unavailable', answer(200, '{"access_token":"x')],
    ['a redirect', 503, 'identity-provider-unavailable', response => response.writeHead(307, { location: '/x' }).end()],
    ['a reset', 503, 'identity-provider-unavailable', response => void response.destroy()],
    ['a flood', 503, 'identity-provider-unavailable', answer(200, `{"x":"${'x'.repeat(2_000_000)}"}`)],
    [
      'invalid_client',
      503,
      'identity-provider-unavailable',
      answer(401, `{"error":"invalid_client","error_description":"${text}"}`)
    ],
    ['invalid_grant', 401, 'unauthenticated', answer(400, `{"error":"invalid_grant","error_description":"${text}"}`)],
    ['no ID token', 401, 'unauthenticated', answer(200, '{"access_token":"x","token_type":"Bearer"}')]
  ]

  for (const [name, status, code, respond] of cases) {
    const browser = new Browser()
    const callback = await world.untilCallback(browser)
    world.provider.answerOnce('/token', respond)
    const got = await browser.visit(callback, { headers: program })
    t.match({ status: got.status, json: got.json }, { status, json: { code } }, name)
    t.notOk(browser.cookie(world.origin, SESSION_COOKIE), name)
    t.notMatch(got.text, text, name)
  }
  t.notMatch(world.service.output.join('\n'), text, 'nor is it in the log')
  const warning = await world.service.lineWhere(({ reason }) => reason === 'login-client-refused')
  t.equal(warning['level'], 'warn', 'the operator hears of a wrong registration')
})

function isUnavailable(t: Test, { status, json, headers }: Visit): void {
  t.match({ status, json }, { status: 503, json: { code: 'identity-provider-unavailable', retryable: true } })
  t.match(headers.get('retry-after'), /^\d+$/)
}

function answer(status: number, body: string, type = 'application/json'): (response: ServerResponse) => void {
  return response => response.writeHead(status, { 'content-type': type }).end(body)
}
