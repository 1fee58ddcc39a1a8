// Tokens that a team's own backend makes, and gateways that hand one over in a place of their own.
import { doubtful, type LookAlike, nearMiss, valid } from '../look-alike.ts'
import { APP_SECRET, EXPIRED, foreignKey, JWT, keyOf, LIVES, secretKey, tokenOf } from '../tokens.ts'
import { homeMadeSettings } from './settings.ts'

function homeMade(): LookAlike {
  const key = secretKey('HS256', APP_SECRET)
  const claims = { id: 42, email: 'ada@example.com', ...LIVES }
  return {
    provider: 'jsonwebtoken, devise-jwt and other tokens of your own',
    sources: ['https://github.com/auth0/node-jsonwebtoken#usage', 'https://github.com/waiting-for-dev/devise-jwt'],
    settings: homeMadeSettings,
    files: { '/run/secrets/jwt-secret': APP_SECRET },
    pages: {},
    tokens: [
      valid('a number', tokenOf(key, JWT, claims), '42'),
      valid('a text', tokenOf(key, JWT, { ...claims, id: '42' }), '42'),
      valid(
        'an id of MongoDB',
        tokenOf(key, JWT, { ...claims, id: '507f1f77bcf86cd799439011' }),
        '507f1f77bcf86cd799439011'
      ),
      nearMiss('another secret', tokenOf(secretKey('HS256', `${APP_SECRET}x`), JWT, claims), 'token-signature'),
      nearMiss(
        'signed by nobody',
        `${tokenOf({ ...key, alg: 'none' }, JWT, claims)
          .split('.')
          .slice(0, 2)
          .join('.')}.`,
        'token-form'
      ),
      nearMiss('that never expires', tokenOf(key, JWT, { id: 42, iat: LIVES.iat }), 'token-no-expiry'),
      nearMiss('too old', tokenOf(key, JWT, { ...claims, ...EXPIRED }), 'token-expired'),
      nearMiss('a number that is not whole', tokenOf(key, JWT, { ...claims, id: 4.2 }), 'uid-form', 403),
      doubtful(
        'a link for a new password, of the same secret',
        tokenOf(key, JWT, { ...claims, purpose: 'reset' }),
        'token-claim'
      )
    ]
  }
}

function strongerHash(): LookAlike {
  const [key, old] = [secretKey('HS512', APP_SECRET), secretKey('HS512', `${APP_SECRET}-of-last-year`)]
  const claims = {
    sub: '42',
    iss: 'https://app.example.com/api/login',
    prv: '23bd5c89',
    jti: 'a1',
    nbf: LIVES.iat,
    ...LIVES
  }
  return {
    provider: 'tymon/jwt-auth with HS512, while its secret is exchanged',
    sources: ['https://jwt-auth.readthedocs.io/en/develop/laravel-installation/'],
    settings: {
      AUTH_JWT_ISSUER: 'https://app.example.com/api/login',
      AUTH_JWT_SECRET_FILE: '/run/secrets/jwt-secret',
      AUTH_JWT_ALGORITHMS: 'HS512',
      AUTH_JWT_CLAIMS: 'prv=23bd5c89'
    },
    files: { '/run/secrets/jwt-secret': `${APP_SECRET},${APP_SECRET}-of-last-year` },
    pages: {},
    tokens: [
      valid('of the new secret', tokenOf(key, JWT, claims), '42'),
      valid('of the old secret', tokenOf(old, JWT, claims), '42'),
      nearMiss('HS256 of the same secret', tokenOf(secretKey('HS256', APP_SECRET), JWT, claims), 'token-algorithm'),
      nearMiss('of another model of users', tokenOf(key, JWT, { ...claims, prv: '87e0af1e' }), 'token-claim')
    ]
  }
}

function passport(): LookAlike {
  const key = keyOf('RS256')
  const client = '9c8e104f-0562-4e7a-905b-3d77df97f2f8'
  const claims = {
    aud: client,
    jti: '9e70128f990e1ef244af074b43306a4f45beab6553396168228bf876ce01005224fa17937d0f0157',
    iat: LIVES.iat + 0.123456,
    nbf: LIVES.iat + 0.123459,
    exp: LIVES.exp + 0.117232,
    sub: '17',
    scopes: []
  }
  return {
    provider: 'Laravel Passport',
    sources: [
      'https://github.com/thephpleague/oauth2-server/blob/master/src/Entities/Traits/AccessTokenTrait.php',
      'https://laravel.com/docs/passport'
    ],
    settings: {
      AUTH_JWT_KEY_FILE: '/run/keys/oauth-public.key',
      AUTH_JWT_AUDIENCE: client,
      UID_ISSUER: 'my-app'
    },
    files: { '/run/keys/oauth-public.key': key.pem },
    pages: {},
    tokens: [
      valid('a user', tokenOf(key, JWT, claims), '17'),
      valid(
        'with `jti` in the header, as older versions have it',
        tokenOf(key, { ...JWT, jti: claims.jti }, claims),
        '17'
      ),
      nearMiss('another client', tokenOf(key, JWT, { ...claims, aud: '3' }), 'token-audience'),
      nearMiss('signed by another', tokenOf(foreignKey(), JWT, claims), 'token-signature'),
      nearMiss(
        'HS256 with the public key as its secret',
        tokenOf(secretKey('HS256', key.pem), JWT, claims),
        'token-algorithm'
      ),
      doubtful('a machine', tokenOf(key, JWT, { ...claims, sub: '' }), 'uid-missing', 403)
    ]
  }
}

function simpleJwt(): LookAlike {
  const key = secretKey('HS256', APP_SECRET)
  const claims = { token_type: 'access', ...LIVES, jti: '0a1b2c3d4e5f60718293a4b5c6d7e8f9', user_id: 42 }
  return {
    provider: 'Django simplejwt',
    sources: ['https://django-rest-framework-simplejwt.readthedocs.io/en/latest/settings.html'],
    settings: {
      AUTH_JWT_SECRET_FILE: '/run/secrets/jwt-secret',
      AUTH_JWT_CLAIMS: 'token_type=access',
      UID_CLAIM: 'user_id',
      UID_ISSUER: 'my-app'
    },
    files: { '/run/secrets/jwt-secret': APP_SECRET },
    pages: {},
    tokens: [
      valid('an access token', tokenOf(key, JWT, claims), '42'),
      valid('of newer versions, where the id is a text', tokenOf(key, JWT, { ...claims, user_id: '42' }), '42'),
      nearMiss('another secret', tokenOf(secretKey('HS256', `${APP_SECRET}x`), JWT, claims), 'token-signature'),
      nearMiss(
        'a sliding token',
        tokenOf(key, JWT, { ...claims, token_type: 'sliding', refresh_exp: LIVES.exp }),
        'token-claim'
      ),
      doubtful('the refresh token', tokenOf(key, JWT, { ...claims, token_type: 'refresh' }), 'token-claim')
    ]
  }
}

function iap(): LookAlike {
  const jwksUri = 'https://www.gstatic.com/iap/verify/public_key-jwk'
  const key = keyOf('ES256', '0oeLcQ')
  const audience = '/projects/123456789012/global/backendServices/2345678901234567890'
  const claims = {
    iss: 'https://cloud.google.com/iap',
    aud: audience,
    sub: 'accounts.google.com:110169484474386276334',
    email: 'ada@example.com',
    hd: 'example.com',
    google: { access_levels: [] },
    ...LIVES
  }
  const headers = (token: string) => ({ 'x-goog-iap-jwt-assertion': token, 'x-csrf': '1' })
  return {
    provider: 'Google Identity-Aware Proxy',
    sources: ['https://cloud.google.com/iap/docs/signed-headers-howto'],
    settings: {
      AUTH_JWT_ISSUER: 'https://cloud.google.com/iap',
      AUTH_JWT_AUDIENCE: audience,
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_JWT_HEADER: 'x-goog-iap-jwt-assertion',
      UID_STRIP: 'accounts.google.com:'
    },
    pages: { [jwksUri]: { keys: [keyOf('ES256', 'older').jwk, key.jwk] } },
    tokens: [
      { ...valid('a user', tokenOf(key, JWT, claims), '110169484474386276334'), headers },
      {
        ...nearMiss(
          'another backend',
          tokenOf(key, JWT, { ...claims, aud: audience.replace('234', '999') }),
          'token-audience'
        ),
        headers
      },
      {
        ...nearMiss(
          'a user of Identity Platform',
          tokenOf(key, JWT, { ...claims, sub: 'securetoken.google.com/p:Vk3n' }),
          'uid-form',
          403
        ),
        headers
      },
      {
        ...nearMiss('a page of another site behind the same proxy', tokenOf(key, JWT, claims), 'csrf-cross-site', 403),
        headers: token => ({ 'x-goog-iap-jwt-assertion': token, 'sec-fetch-site': 'cross-site' })
      }
    ]
  }
}

function cloudflare(): LookAlike {
  const issuer = 'https://acme.cloudflareaccess.com'
  const jwksUri = `${issuer}/cdn-cgi/access/certs`
  const key = keyOf('RS256', '9338abe1baf2fe492f646a736f25afbf7b025e35c627be4f60c414d4c73069b8')
  const tag = '32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228'
  const user = '7335d417-61da-459d-899c-0a01c76a2f94'
  const claims = {
    aud: [tag],
    email: 'ada@example.com',
    ...LIVES,
    nbf: LIVES.iat,
    iss: issuer,
    type: 'app',
    identity_nonce: '6ei69kawdKzMIAPF',
    sub: user,
    country: 'GB'
  }
  const { sub: _, email: __, identity_nonce: ___, ...machine } = claims
  const headers = (token: string) => ({ 'cf-access-jwt-assertion': token, 'x-csrf': '1' })
  return {
    provider: 'Cloudflare Access',
    sources: ['https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/application-token'],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_AUDIENCE: tag,
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_JWT_CLAIMS: 'type=app',
      AUTH_JWT_HEADER: 'cf-access-jwt-assertion',
      AUTH_JWT_COOKIE: 'CF_Authorization'
    },
    pages: {
      [jwksUri]: {
        keys: [key.jwk],
        public_cert: { kid: key.kid, cert: '-----BEGIN CERTIFICATE-----' },
        public_certs: [{ kid: key.kid, cert: '-----BEGIN CERTIFICATE-----' }]
      }
    },
    tokens: [
      { ...valid('a user', tokenOf(key, JWT, claims), user), headers },
      {
        ...valid('in header and cookie, as browsers send it', tokenOf(key, JWT, claims), user),
        headers: token => ({ ...headers(token), cookie: `CF_AppSession=n0; CF_Authorization=${token}` })
      },
      {
        ...nearMiss('another application', tokenOf(key, JWT, { ...claims, aud: ['ffff'] }), 'token-audience'),
        headers
      },
      {
        ...nearMiss(
          'the session of the whole organisation',
          tokenOf(key, JWT, { ...claims, type: 'org' }),
          'token-claim'
        ),
        headers
      },
      {
        ...nearMiss('another token in the cookie', tokenOf(key, JWT, claims), 'credential-several', 400),
        headers: token => ({
          ...headers(token),
          cookie: `CF_Authorization=${tokenOf(key, JWT, { ...claims, sub: 'bob' })}`
        })
      },
      {
        ...doubtful(
          'a service token',
          tokenOf(key, JWT, { ...machine, sub: '', common_name: 'e367.access' }),
          'uid-missing',
          403
        ),
        headers
      }
    ]
  }
}

export const OWN_TOKENS: readonly LookAlike[] = [
  homeMade(),
  strongerHash(),
  passport(),
  simpleJwt(),
  iap(),
  cloudflare()
]
