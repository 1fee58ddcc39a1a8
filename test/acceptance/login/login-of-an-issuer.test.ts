// Beside AUTH_ISSUERS_FILE somebody is the same user by the login of this service and by a token, as `usersOf` says.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { hmacToken } from '../../helpers/forged-tokens.ts'
import { startLogin } from '../../helpers/login.ts'
import { postReply } from '../../helpers/thread.ts'
import { SHARED_SECRET } from '../../helpers/tokens.ts'

const folder = mkdtempSync(join(tmpdir(), 'login-issuers-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string): string => join(folder, name)

t.test('the users of the login are those of the entry of its issuer, under whatever name these go', async t => {
  writeFileSync(path('secret'), SHARED_SECRET)
  const login = await startLogin(t, issuer => {
    const entries = [
      { issuer, audience: ['replies'], usersOf: 'people' },
      { issuer: 'app', secretFile: path('secret'), claims: 'token_type=access', usersOf: 'people' },
      { issuer: 'others', secretFile: path('secret'), claims: 'token_type=access' }
    ]
    writeFileSync(path('issuers.json'), JSON.stringify(entries))
    return { AUTH_ISSUERS_FILE: path('issuers.json'), UID_MODE: 'hash' }
  })
  const { json: me } = await login.me(await login.signIn())
  t.type(me.uid, 'string')

  const uidOf = async (issuer: string): Promise<unknown> => {
    const claims = { iss: issuer, sub: me.sub, token_type: 'access', exp: Math.floor(Date.now() / 1000) + 600 }
    const token = hmacToken({ alg: 'HS256' }, claims, SHARED_SECRET)
    const headers = { 'x-request-id': `request-of-${issuer}` }
    await postReply(login.service, { token, parentId: login.parentId, headers })
    return (await login.service.lineWhere(line => line['requestId'] === headers['x-request-id']))['uid']
  }
  t.equal(await uidOf('app'), me.uid)
  t.not(await uidOf('others'), me.uid)
})
