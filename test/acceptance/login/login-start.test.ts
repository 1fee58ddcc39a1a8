import t from 'tap'
import { loginEnv } from '../../helpers/login.ts'
import { CLIENT_SECRET } from '../../helpers/openid-provider.ts'
import { runService } from '../../helpers/service-process.ts'

const origin = 'https://chat.example.com'
const env = {
  ...loginEnv({ issuer: 'https://login.example.com' }, origin),
  COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
  COMETCHAT_API_KEY: 'a-key'
}

t.test('--check-config shows the login, and nothing secret', async t => {
  const { exitCode, output } = await runService(env, ['--check-config'])

  t.equal(exitCode, 0)
  t.match(output, `own login    issuer https://login.example.com, at ${origin}`)
  t.match(output, 'bearer JWT   off')
  t.notMatch(output, CLIENT_SECRET)
})

t.test('half a login stops the start, with one sentence that says what to add', async t => {
  for (const name of ['AUTH_LOGIN_ISSUER', 'AUTH_LOGIN_CLIENT_ID', 'AUTH_LOGIN_CLIENT_SECRET', 'AUTH_LOGIN_URL']) {
    const { exitCode, errors, output } = await runService({ ...env, [name]: undefined })

    t.equal(exitCode, 78, name)
    t.match(errors, `The login is half configured: also set ${name}.`)
    t.notMatch(`${errors}${output}`, CLIENT_SECRET)
  }
})
