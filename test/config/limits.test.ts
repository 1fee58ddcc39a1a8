import t from 'tap'
import { loadLimitsConfig, loadMultipleReceiversMax } from '../../src/config/budgets/limits.ts'
import { EnvReader } from '../../src/config/env-reader.ts'

function load(env: Record<string, string>) {
  const reader = new EnvReader(env, () => '')
  const limits = loadLimitsConfig(reader)
  return { limits, receivers: loadMultipleReceiversMax(reader, limits), problems: reader.problems }
}

t.test('the limits are what CometChat documents, unless the environment says otherwise', async t => {
  const { limits, receivers, problems } = load({})
  t.same(limits, {
    mode: 'enforce',
    userPerMinute: 30,
    userLimit: 30,
    appPerMinute: 20_000,
    serviceLimit: 5000,
    failuresPerMinute: 120,
    addressPerMinute: 6000
  })
  t.equal(receivers, 25)
  t.same(problems, [])
})

t.test('a user has the smaller of the own limit and the share', async t => {
  t.equal(load({ LIMIT_APP_PER_MINUTE: '100' }).limits.userLimit, 25)
  t.equal(load({ LIMIT_APP_PER_MINUTE: '500' }).limits.userLimit, 30)
  t.equal(load({ LIMIT_USER_PER_MINUTE: '0' }).limits.userLimit, 5000)
  t.equal(load({ LIMIT_USER_PER_MINUTE: '0', LIMIT_USER_SHARE: '0' }).limits.userLimit, 0)
  t.equal(load({ LIMIT_USER_PER_MINUTE: '900', LIMIT_APP_PER_MINUTE: '0' }).limits.userLimit, 900)
})

t.test('a contradiction is refused by the names of its variables', async t => {
  const REFUSED: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ LIMIT_APP_PER_MINUTE: '20' }, /^LIMIT_USER_PER_MINUTE .* LIMIT_APP_PER_MINUTE/],
    [{ LIMIT_USER_PER_MINUTE: '501', LIMIT_APP_PER_MINUTE: '500' }, /^LIMIT_USER_PER_MINUTE/],
    [{ LIMIT_USER_PER_MINUTE: '1', LIMIT_APP_PER_MINUTE: '50', LIMIT_USER_SHARE: '1' }, /^LIMIT_USER_SHARE .* nobody/],
    [{ LIMIT_FAILURES_PER_MINUTE: '7000' }, /^LIMIT_FAILURES_PER_MINUTE .* LIMIT_ADDRESS_PER_MINUTE/],
    [{ MULTIPLE_RECEIVERS_MAX: '30' }, /^MULTIPLE_RECEIVERS_MAX .*LIMIT_USER_PER_MINUTE/],
    [{ LIMIT_MODE: 'on' }, /^LIMIT_MODE must be one of/],
    [{ LIMIT_USER_SHARE: '101' }, /^LIMIT_USER_SHARE/],
    [{ LIMIT_USER_PER_MINUTE: '-1' }, /^LIMIT_USER_PER_MINUTE must be a whole number/],
    [{ LIMIT_ADDRESS_PER_MINUTE: '1e3' }, /^LIMIT_ADDRESS_PER_MINUTE must be a whole number/]
  ]
  for (const [env, message] of REFUSED) {
    const { problems } = load(env)
    t.equal(problems.length, 1, problems.join())
    t.match(problems[0], message)
  }
})

t.test('a reply has no more receivers than its sender has messages', async t => {
  t.equal(load({ LIMIT_USER_PER_MINUTE: '10' }).receivers, 9)
  t.equal(load({ LIMIT_USER_PER_MINUTE: '1' }).receivers, 0)
  t.equal(load({ LIMIT_USER_PER_MINUTE: '10', LIMIT_MODE: 'off' }).receivers, 25)
  const { receivers, problems } = load({ LIMIT_USER_PER_MINUTE: '10', MULTIPLE_RECEIVERS_MAX: '9' })
  t.same([receivers, problems], [9, []])
})
