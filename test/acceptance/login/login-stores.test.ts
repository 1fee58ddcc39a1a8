import t, { type Test } from 'tap'
import { Browser } from '../../helpers/browser.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { SESSION_COOKIE, startLoginProcess } from '../../helpers/login.ts'
import { CLIENT_SECRET } from '../../helpers/openid-provider.ts'
import { readiness } from '../../helpers/service-process.ts'
import { STORE_KINDS, type StorePlace } from '../../helpers/session-stores.ts'
import { until } from '../../helpers/until.ts'

const STORE_SECRET = 'a-store-secret-that-every-instance-shares'

type World = Awaited<ReturnType<typeof startLoginProcess>>

for (const kind of STORE_KINDS.filter(({ survives }) => survives)) {
  t.test(`sessions in ${kind.name}`, kind.needs, async t => {
    const place = await kind.place(t)
    const world = await startLoginProcess(t, { STORE_URL: place.storeUrl, STORE_SECRET })
    await t.test(`what lies in ${kind.name} opens no session and names nobody`, t => opensNothing(t, world, place))
    if (place.pause) {
      await t.test('a store that does not answer signs nobody out', t => isUnavailable(t, world, place))
    }
    await t.test('a session survives a restart, and so does a logout', t => survivesRestart(t, world))
  })
}

async function opensNothing(t: Test, world: World, place: StorePlace): Promise<void> {
  const browser = await world.signIn()
  t.equal((await world.me(browser)).status, 200)

  const dump = await place.dump()

  const words = new Set(dump.match(/[A-Za-z0-9_+/=-]{16,}/g) ?? [])
  // A cookie has 43 characters, and a value may stand right behind another one.
  const candidates = new Set(
    Array.from(words).flatMap(word => [
      word,
      ...Array.from({ length: Math.min(word.length, 90) }, (_, i) => word.slice(i, i + 43))
    ])
  )
  t.ok(candidates.size > 3, 'there are values to try')
  // One after the other: the store would be too slow for all of them at once, and say so with 503.
  const statuses = new Set<number>()
  for (const value of candidates) {
    const thief = new Browser()
    thief.plant(world.origin, SESSION_COOKIE, value)
    statuses.add((await world.me(thief)).status)
  }
  t.same(statuses, new Set([401]), 'none of them is a cookie')
  const cookie = browser.cookie(world.origin, SESSION_COOKIE) ?? 'none'
  for (const secret of [cookie, 'Name of alice', CLIENT_SECRET, ...world.provider.issued]) {
    t.notOk(dump.includes(secret), 'nothing secret is in it')
  }
}

async function isUnavailable(t: Test, world: World, { pause, resume }: StorePlace): Promise<void> {
  const browser = await world.signIn()
  const callback = await world.untilCallback(browser)

  pause?.()
  const answers = await Promise.all([
    world.me(browser),
    browser.visit(callback, { headers: { accept: '*/*' } }),
    world.logout(browser)
  ])
  resume?.()
  const isBack = await until(
    () => readiness(world.service),
    ([status]) => status === 200
  )

  t.same(isBack, [200, []])
  for (const { status, json } of answers) {
    t.match({ status, json }, { status: 503, json: { code: 'store-unavailable', retryable: true } })
  }
  t.equal((await world.me(browser)).status, 200)
}

async function survivesRestart(t: Test, world: World): Promise<void> {
  const browser = await world.signIn()
  const leaver = await world.signIn()
  const copy = leaver.cookie(world.origin, SESSION_COOKIE) ?? ''
  await world.logout(leaver)
  leaver.plant(world.origin, SESSION_COOKIE, copy)

  await world.service.stop('SIGKILL')
  await hostService(t, world.serviceEnv)

  t.equal((await world.me(browser)).json.uid, 'alice')
  t.equal((await world.reply(browser)).status, 201)
  t.equal((await world.me(leaver)).status, 401)
}
