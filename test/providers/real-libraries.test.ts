// The same as look-alikes.test.ts, with tokens that the libraries themselves make.
import t from 'tap'
import { withoutPackages } from '../helpers/installed-packages.ts'
import { doubtful, type LookAlike, nearMiss, valid } from './look-alike.ts'
import { createStage } from './look-alike-service.ts'
import { betterAuthSettings, homeMadeSettings } from './look-alikes/settings.ts'
import { loadJsonWebToken, startBetterAuth } from './real/libraries.ts'
import { APP_SECRET, LIVES } from './tokens.ts'

t.setTimeout(180_000)

t.test('real libraries', { skip: withoutPackages(new URL('real/', import.meta.url)) }, async t => {
  const [app, other] = [await startBetterAuth(t), await startBetterAuth(t)]
  const [ada, grace, stranger] = [await app.signUp('ada'), await app.signUp('grace'), await other.signUp('mallory')]
  const stage = await createStage(t, [ada.id.toLowerCase(), grace.id.toLowerCase(), '42'])
  const { sign } = await loadJsonWebToken()
  const token = (payload: object, options: object = { expiresIn: '1h' }): string => sign(payload, APP_SECRET, options)
  const libraries: readonly LookAlike[] = [
    {
      provider: 'Better Auth',
      sources: ['https://better-auth.com/docs/plugins/jwt'],
      settings: betterAuthSettings(app.baseURL),
      pages: {},
      tokens: [
        valid('a JWT of the plugin', ada.jwt, ada.id.toLowerCase()),
        valid('of another user', grace.jwt, grace.id.toLowerCase()),
        nearMiss('the token of a session', ada.session, 'token-form'),
        nearMiss('of another app', stranger.jwt, 'token-issuer'),
        nearMiss('changed', `${ada.jwt.split('.').slice(0, 2).join('.')}.${grace.jwt.split('.')[2]}`, 'token-signature')
      ]
    },
    {
      provider: 'jsonwebtoken',
      sources: ['https://github.com/auth0/node-jsonwebtoken#usage'],
      settings: homeMadeSettings,
      files: { '/run/secrets/jwt-secret': APP_SECRET },
      pages: {},
      tokens: [
        valid('a number', token({ id: 42 }), '42'),
        valid('a text, with what nobody asked for', token({ id: '42', roles: ['user'] }), '42'),
        nearMiss('that never expires', token({ id: 42 }, {}), 'token-no-expiry'),
        nearMiss('too old', token({ id: 42, exp: LIVES.iat - 1 }, {}), 'token-expired'),
        nearMiss('HS384', token({ id: 42 }, { expiresIn: '1h', algorithm: 'HS384' }), 'token-algorithm'),
        doubtful('a link for a new password', token({ id: 42, purpose: 'reset' }), 'token-claim')
      ]
    }
  ]
  for (const library of libraries) {
    t.test(library.provider, async t => {
      const outcomes = await stage.judge(t, library)
      for (const [index, { title, uid, status = 201, reason }] of library.tokens.entries()) {
        t.match(
          { ...outcomes[index], reason: outcomes[index]?.line?.['reason'] },
          { status, postedAs: uid === undefined ? [] : [uid], ...(reason !== undefined && { reason }) },
          title
        )
      }
    })
  }
})
