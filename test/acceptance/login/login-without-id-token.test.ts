import t from 'tap'
import { Browser } from '../../helpers/browser.ts'
import { startLogin } from '../../helpers/login.ts'

t.test('a provider that sends no ID token is not taken for one that is away: the operator hears of it', async t => {
  const world = await startLogin(t)
  const browser = new Browser()
  const callback = await world.untilCallback(browser)
  world.provider.answerOnce('/token', response =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"access_token":"canary-of-a-token","token_type":"Bearer"}')
  )

  const { status, json } = await browser.visit(callback, { headers: { accept: '*/*' } })

  t.match({ status, json }, { status: 401, json: { code: 'unauthenticated' } })
  const warning = await world.service.lineWhere(({ reason, level }) => level === 'warn' && reason !== undefined)
  t.equal(warning['reason'], 'login-no-id-token')
  t.notMatch(world.service.output.join('\n'), 'canary-of-a-token')
})
