// Providers that keep an app's users: what an app's own backend is sent.
import { discovery, doubtful, type LookAlike, nearMiss, valid } from '../look-alike.ts'
import { EXPIRED, foreignKey, JWT, keyOf, LIVES, secretKey, tokenOf } from '../tokens.ts'

function firebase(): LookAlike {
  const issuer = 'https://securetoken.google.com/my-project'
  const jwksUri = 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com'
  const key = keyOf('RS256', '8e8fc8e556f7a76d08d35829d6f90ae2e12cfd0d')
  const user = 'Vk3nZb1QxYh0m7RtPw5LcEdJgA92'
  const claims = {
    iss: issuer,
    aud: 'my-project',
    auth_time: LIVES.iat,
    user_id: user,
    sub: user,
    ...LIVES,
    email: 'ada@example.com',
    email_verified: false,
    firebase: { identities: { email: ['ada@example.com'] }, sign_in_provider: 'password' }
  }
  const by = (name: string, more = {}) => ({ ...claims, firebase: { identities: {}, sign_in_provider: name, ...more } })
  return {
    provider: 'Firebase Auth',
    sources: [
      'https://firebase.google.com/docs/auth/admin/verify-id-tokens',
      'https://firebase.google.com/docs/auth/admin/manage-cookies'
    ],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_AUDIENCE: 'my-project',
      AUTH_JWT_CLAIMS: '!firebase.sign_in_provider=anonymous,!firebase.tenant',
      UID_MODE: 'lower'
    },
    pages: { ...discovery(issuer, jwksUri), [jwksUri]: { keys: [key.jwk, keyOf('RS256', 'next').jwk] } },
    tokens: [
      valid('a user with a password', tokenOf(key, JWT, claims), user.toLowerCase()),
      valid('a user of Google', tokenOf(key, JWT, { ...by('google.com'), name: 'Ada' }), user.toLowerCase()),
      valid('a user with a telephone', tokenOf(key, JWT, by('phone')), user.toLowerCase()),
      nearMiss(
        'another project',
        tokenOf(key, JWT, { ...claims, iss: 'https://securetoken.google.com/other', aud: 'other' }),
        'token-issuer'
      ),
      nearMiss(
        'a session cookie of the Admin SDK',
        tokenOf(key, JWT, { ...claims, iss: 'https://session.firebase.google.com/my-project' }),
        'token-issuer'
      ),
      nearMiss('an hour too old', tokenOf(key, JWT, { ...claims, ...EXPIRED }), 'token-expired'),
      nearMiss('signed by another', tokenOf(foreignKey(key.kid), JWT, claims), 'token-signature'),
      doubtful('an anonymous user', tokenOf(key, JWT, by('anonymous')), 'token-claim'),
      doubtful('a user of a tenant', tokenOf(key, JWT, by('password', { tenant: 'acme-x1y2z' })), 'token-claim')
    ]
  }
}

const AUTH0 = 'https://acme.us.auth0.com/'
const AUTH0_PAGES = (key: ReturnType<typeof keyOf>) => ({
  ...discovery(AUTH0, `${AUTH0}.well-known/jwks.json`),
  [`${AUTH0}.well-known/jwks.json`]: { keys: [{ ...key.jwk, x5t: key.kid, x5c: ['MIIC'] }] }
})
const AUTH0_CLAIMS = {
  iss: AUTH0,
  sub: 'auth0|6553da60a54af58e29493993',
  aud: ['https://replies.example.com', `${AUTH0}userinfo`],
  azp: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja',
  ...LIVES,
  scope: 'openid profile replies:write'
}
const AUTH0_SOURCES = [
  'https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles',
  'https://auth0.com/docs/secure/tokens/json-web-tokens'
]

function auth0(): LookAlike {
  const key = keyOf('RS256', 'NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4')
  const claims = AUTH0_CLAIMS
  const { azp, ...others } = claims
  const machine = { ...claims, sub: 'awZfdIir8YFdGZWkvCejDoUb7SjTDicx@clients', gty: 'client-credentials' }
  return {
    provider: 'Auth0, database users',
    sources: AUTH0_SOURCES,
    settings: {
      AUTH_JWT_ISSUER: AUTH0,
      AUTH_JWT_AUDIENCE: 'https://replies.example.com',
      AUTH_JWT_CLAIMS: '!gty=client-credentials',
      UID_STRIP: 'auth0|'
    },
    pages: AUTH0_PAGES(key),
    tokens: [
      valid('the Auth0 profile', tokenOf(key, JWT, claims), '6553da60a54af58e29493993'),
      valid(
        'the RFC 9068 profile',
        tokenOf(key, { typ: 'at+jwt' }, { ...others, client_id: azp, jti: '73WakrfVbNJBaAmhQtEeDv' }),
        '6553da60a54af58e29493993'
      ),
      valid(
        'one audience, and permissions',
        tokenOf(key, JWT, { ...claims, aud: 'https://replies.example.com', permissions: ['replies:write'] }),
        '6553da60a54af58e29493993'
      ),
      nearMiss('another API', tokenOf(key, JWT, { ...claims, aud: 'https://other.example.com' }), 'token-audience'),
      nearMiss('another tenant', tokenOf(key, JWT, { ...claims, iss: 'https://other.us.auth0.com/' }), 'token-issuer'),
      nearMiss('the ID token', tokenOf(key, JWT, { ...claims, aud: azp, nonce: 'n', sid: 's' }), 'token-audience'),
      nearMiss(
        'an access token without an audience, which is encrypted',
        `${Buffer.from('{"alg":"dir","enc":"A256GCM","iss":"https://acme.us.auth0.com/"}').toString('base64url')}..aXY.Y2lwaGVy.dGFn`,
        'token-encrypted'
      ),
      nearMiss(
        'a user of another connection',
        tokenOf(key, JWT, { ...claims, sub: 'google-oauth2|110169484474386276334' }),
        'uid-form',
        403
      ),
      doubtful('a machine', tokenOf(key, JWT, machine), 'token-claim')
    ]
  }
}

function auth0Connections(): LookAlike {
  const key = keyOf('RS256', 'NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4')
  return {
    provider: 'Auth0, several connections',
    sources: AUTH0_SOURCES,
    settings: {
      AUTH_JWT_ISSUER: AUTH0,
      AUTH_JWT_AUDIENCE: 'https://replies.example.com',
      AUTH_JWT_SCOPE: 'replies:write',
      AUTH_JWT_CLAIMS: '!gty=client-credentials',
      UID_MODE: 'hash',
      UID_ISSUER: 'auth0'
    },
    pages: AUTH0_PAGES(key),
    tokens: [
      valid('a database user', tokenOf(key, JWT, AUTH0_CLAIMS), 'hash of auth0 and auth0|6553da60a54af58e29493993'),
      valid(
        'a user of Google',
        tokenOf(key, JWT, { ...AUTH0_CLAIMS, sub: 'google-oauth2|110169484474386276334' }),
        'hash of auth0 and google-oauth2|110169484474386276334'
      ),
      nearMiss('without the scope', tokenOf(key, JWT, { ...AUTH0_CLAIMS, scope: 'openid' }), 'token-scope', 403),
      nearMiss('signed by another', tokenOf(foreignKey(key.kid), JWT, AUTH0_CLAIMS), 'token-signature'),
      doubtful(
        'a machine in the RFC 9068 profile',
        tokenOf(
          key,
          { typ: 'at+jwt' },
          { ...AUTH0_CLAIMS, sub: 'awZfdIir8YFdGZWkvCejDoUb7SjTDicx@clients', scope: 'replies:read' }
        ),
        'token-scope',
        403
      )
    ]
  }
}

function cognito(): LookAlike {
  const issuer = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI'
  const jwksUri = `${issuer}/.well-known/jwks.json`
  const [access, id] = [keyOf('RS256', 'abcdefghijklmnopqrsexample+Q='), keyOf('RS256', 'fgjhlkhjlkhexample/g=')]
  const client = '57cbishk4j24pabc1234567890'
  const sub = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'
  const claims = {
    sub,
    iss: issuer,
    client_id: client,
    origin_jti: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeef',
    event_id: '64f513be-32db-42b0-b78e-b02127b4f463',
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin',
    auth_time: LIVES.iat,
    jti: 'cccccccc-dddd-eeee-aaaa-dddddddddddd',
    username: 'ada',
    ...LIVES
  }
  return {
    provider: 'Amazon Cognito',
    sources: [
      'https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html',
      'https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html'
    ],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_CLAIMS: `client_id=${client},token_use=access`
    },
    pages: { ...discovery(issuer, jwksUri), [jwksUri]: { keys: [id.jwk, access.jwk] } },
    tokens: [
      valid('an access token', tokenOf(access, {}, claims), sub),
      valid(
        'an access token of the hosted login, with groups',
        tokenOf(access, {}, { ...claims, version: 2, scope: 'openid email', 'cognito:groups': ['staff'] }),
        sub
      ),
      nearMiss(
        'the ID token',
        tokenOf(id, {}, { sub, iss: issuer, aud: client, token_use: 'id', 'cognito:username': 'ada', ...LIVES }),
        'token-claim'
      ),
      nearMiss('another app client', tokenOf(access, {}, { ...claims, client_id: '1example23456789' }), 'token-claim'),
      nearMiss(
        'another pool',
        tokenOf(access, {}, { ...claims, iss: issuer.replace('AbCdEfGhI', 'ZzZzZzZzZ') }),
        'token-issuer'
      ),
      doubtful(
        'a machine',
        tokenOf(access, {}, { ...claims, sub: '6machine7890', client_id: '6machine7890', scope: 'replies/write' }),
        'token-claim'
      )
    ]
  }
}

const SUPABASE = 'https://abcdefghijklmnopqrst.supabase.co/auth/v1'
const SUPABASE_SOURCES = [
  'https://supabase.com/docs/guides/auth/jwt-fields',
  'https://supabase.com/docs/guides/auth/signing-keys'
]
const SUPABASE_SECRET = 'super-secret-jwt-token-with-at-least-32-characters'
const SUPABASE_USER = '123e4567-e89b-12d3-a456-426614174000'
const SUPABASE_CLAIMS = {
  iss: SUPABASE,
  sub: SUPABASE_USER,
  aud: 'authenticated',
  ...LIVES,
  email: 'ada@example.com',
  phone: '',
  app_metadata: { provider: 'email', providers: ['email'] },
  user_metadata: {},
  role: 'authenticated',
  aal: 'aal1',
  amr: [{ method: 'password', timestamp: LIVES.iat }],
  session_id: 'abcdef12-1234-1234-1234-123456789abc',
  is_anonymous: false
}
/** The keys of a project that apps are built with: `iss` is a word, and there is no user. */
const SUPABASE_API_KEY = (role: string) => ({ iss: 'supabase', ref: 'abcdefghijklmnopqrst', role, ...LIVES })

function supabase(): LookAlike {
  const jwksUri = `${SUPABASE}/.well-known/jwks.json`
  const key = keyOf('ES256', '2d7bd5a6-0b7c-4c2a-8f70-0d9bdf5a21fd')
  const second = keyOf('RS256', 'b5a5a4d3-6f0e-4f4c-9d6f-0d9bdf5a21fd')
  const published = { ...key.jwk, key_ops: ['verify'], ext: true }
  return {
    provider: 'Supabase, signing keys',
    sources: SUPABASE_SOURCES,
    settings: {
      AUTH_JWT_ISSUER: SUPABASE,
      AUTH_JWT_AUDIENCE: 'authenticated',
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_JWT_CLAIMS: '!is_anonymous=true'
    },
    pages: { [jwksUri]: { keys: [published, second.jwk] } },
    tokens: [
      valid('ES256', tokenOf(key, JWT, SUPABASE_CLAIMS), SUPABASE_USER),
      valid('RS256', tokenOf(second, JWT, SUPABASE_CLAIMS), SUPABASE_USER),
      nearMiss(
        'another project',
        tokenOf(key, JWT, { ...SUPABASE_CLAIMS, iss: 'https://x.supabase.co/auth/v1' }),
        'token-issuer'
      ),
      nearMiss(
        'the anon key',
        tokenOf(secretKey('HS256', SUPABASE_SECRET), JWT, SUPABASE_API_KEY('anon')),
        'token-issuer'
      ),
      nearMiss('signed by another', tokenOf(foreignKey(second.kid), JWT, SUPABASE_CLAIMS), 'token-signature'),
      doubtful('an anonymous user', tokenOf(key, JWT, { ...SUPABASE_CLAIMS, is_anonymous: true }), 'token-claim')
    ]
  }
}

function supabaseSecret(): LookAlike {
  const key = secretKey('HS256', SUPABASE_SECRET, 'xYz123')
  return {
    provider: 'Supabase, legacy secret',
    sources: SUPABASE_SOURCES,
    settings: {
      AUTH_JWT_ISSUER: SUPABASE,
      AUTH_JWT_AUDIENCE: 'authenticated',
      AUTH_JWT_SECRET_FILE: '/run/secrets/jwt-secret',
      AUTH_JWT_CLAIMS: '!is_anonymous=true'
    },
    files: { '/run/secrets/jwt-secret': SUPABASE_SECRET },
    pages: {},
    tokens: [
      valid('HS256', tokenOf(key, JWT, SUPABASE_CLAIMS), SUPABASE_USER),
      nearMiss('the anon key, of the same secret', tokenOf(key, JWT, SUPABASE_API_KEY('anon')), 'token-issuer'),
      nearMiss(
        'the service key, of the same secret',
        tokenOf(key, JWT, SUPABASE_API_KEY('service_role')),
        'token-issuer'
      ),
      nearMiss('another secret', tokenOf(secretKey('HS256', 'x'.repeat(40)), JWT, SUPABASE_CLAIMS), 'token-signature'),
      doubtful('an anonymous user', tokenOf(key, JWT, { ...SUPABASE_CLAIMS, is_anonymous: true }), 'token-claim')
    ]
  }
}

function supabaseMigration(): LookAlike {
  const jwksUri = `${SUPABASE}/.well-known/jwks.json`
  const old = secretKey('HS256', SUPABASE_SECRET, 'xYz123')
  const key = keyOf('ES256', '2d7bd5a6-0b7c-4c2a-8f70-0d9bdf5a21fd')
  return {
    provider: 'Supabase, from the secret to keys',
    sources: SUPABASE_SOURCES,
    settings: { AUTH_ISSUERS_FILE: '/run/config/issuers.json' },
    files: {
      '/run/secrets/jwt-secret': SUPABASE_SECRET,
      '/run/config/issuers.json': [
        {
          issuer: SUPABASE,
          audience: ['authenticated'],
          jwksUrl: jwksUri,
          secretFile: '/run/secrets/jwt-secret',
          algorithms: ['ES256', 'HS256'],
          claims: '!is_anonymous=true'
        }
      ]
    },
    pages: { [jwksUri]: { keys: [key.jwk] } },
    tokens: [
      valid('of the secret', tokenOf(old, JWT, SUPABASE_CLAIMS), SUPABASE_USER),
      valid('of a key', tokenOf(key, JWT, SUPABASE_CLAIMS), SUPABASE_USER),
      nearMiss(
        'HS256 with the public key as its secret',
        tokenOf(secretKey('HS256', key.pem, key.kid), JWT, SUPABASE_CLAIMS),
        'token-signature'
      ),
      nearMiss('another secret', tokenOf(secretKey('HS256', 'x'.repeat(40)), JWT, SUPABASE_CLAIMS), 'token-signature')
    ]
  }
}

function clerk(): LookAlike {
  const issuer = 'https://clerk.example.com'
  const jwksUri = `${issuer}/.well-known/jwks.json`
  const key = keyOf('RS256', 'ins_2abcDEFghiJKLmnoPQRstuVWXyz')
  const header = { cat: 'cl_B7d4PD111AAA', ...JWT }
  const user = 'user_2aBcDeFgHiJkLmNoPqRsTuVwXyZ'
  const claims = {
    azp: 'https://app.example.com',
    exp: LIVES.iat + 60,
    fva: [7, -1],
    iat: LIVES.iat,
    iss: issuer,
    nbf: LIVES.iat - 10,
    sid: 'sess_2aBcDeFgHiJkLmNoPqRsTuVwXyA',
    sts: 'active',
    sub: user,
    v: 2
  }
  return {
    provider: 'Clerk',
    sources: [
      'https://clerk.com/docs/guides/sessions/session-tokens',
      'https://clerk.com/docs/guides/sessions/manual-jwt-verification'
    ],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_JWT_CLAIMS: 'azp=https://app.example.com,sid,!sts=pending',
      AUTH_JWT_COOKIE: '__session',
      UID_MODE: 'lower'
    },
    pages: { [jwksUri]: { keys: [key.jwk] } },
    tokens: [
      valid('in Authorization', tokenOf(key, header, claims), user.toLowerCase()),
      {
        ...valid('in the cookie of the page', tokenOf(key, header, claims), user.toLowerCase()),
        headers: token => ({ cookie: `__client_uat=1700000000; __session=${token}`, 'x-csrf': '1' })
      },
      valid(
        'with an organisation',
        tokenOf(key, header, { ...claims, o: { id: 'org_2x', slg: 'acme', rol: 'admin' } }),
        user.toLowerCase()
      ),
      nearMiss(
        'a page of a sibling subdomain',
        tokenOf(key, header, { ...claims, azp: 'https://blog.example.com' }),
        'token-claim'
      ),
      nearMiss('another instance', tokenOf(key, header, { ...claims, iss: 'https://clerk.other.com' }), 'token-issuer'),
      {
        ...nearMiss('the cookie, sent by another site', tokenOf(key, header, claims), 'csrf-cross-site', 403),
        headers: token => ({ cookie: `__session=${token}`, 'sec-fetch-site': 'cross-site' })
      },
      doubtful('a session with a task to do', tokenOf(key, header, { ...claims, sts: 'pending' }), 'token-claim'),
      doubtful(
        'a token of a template for another service',
        tokenOf(key, header, { azp: claims.azp, iss: issuer, sub: user, aud: 'hasura', ...LIVES }),
        'token-claim'
      )
    ]
  }
}

function workos(): LookAlike {
  const client = 'client_01HBEQ8N1Y5Y1ZD9G2R3T4V5W6'
  const issuer = `https://api.workos.com/user_management/${client}`
  const jwksUri = `https://api.workos.com/sso/jwks/${client}`
  const key = keyOf('RS256', 'sso_oidc_key_pair_01HBEQKA6K4QJAS93VPE39W1JT')
  const user = 'user_01HBEQKA6K4QJAS93VPE39W1JT'
  const claims = {
    iss: issuer,
    sub: user,
    sid: 'session_01HQSXZGF8FHF7A9ZZFCW4387R',
    jti: '01HQSXZXPPFPKMDD32RKTFY6PV',
    ...LIVES
  }
  return {
    provider: 'WorkOS AuthKit',
    sources: ['https://workos.com/docs/reference/authkit/session-tokens', 'https://workos.com/docs/authkit/sessions'],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_AUDIENCE: 'unchecked',
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_JWT_CLAIMS: 'sid,!act',
      UID_MODE: 'lower'
    },
    pages: { [jwksUri]: { keys: [{ ...key.jwk, x5c: ['MIIC'], 'x5t#S256': 'abc' }] } },
    tokens: [
      valid('a session', tokenOf(key, {}, claims), user.toLowerCase()),
      valid(
        'a session of an organisation',
        tokenOf(
          key,
          {},
          {
            ...claims,
            org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S',
            role: 'member',
            permissions: ['posts:read'],
            entitlements: ['audit-logs']
          }
        ),
        user.toLowerCase()
      ),
      nearMiss(
        'another environment',
        tokenOf(key, {}, { ...claims, iss: 'https://api.workos.com/user_management/client_01OTHER' }),
        'token-issuer'
      ),
      nearMiss('signed by another', tokenOf(foreignKey(key.kid), {}, claims), 'token-signature'),
      nearMiss('without a session', tokenOf(key, {}, { ...claims, sid: undefined }), 'token-claim'),
      doubtful(
        'an administrator who impersonates',
        tokenOf(key, {}, { ...claims, act: { sub: 'admin@foocorp.com' } }),
        'token-claim'
      )
    ]
  }
}

function kinde(): LookAlike {
  const issuer = 'https://acme.kinde.com'
  const jwksUri = `${issuer}/.well-known/jwks`
  const key = keyOf('RS256', '84:91:1d:7e:6e:5c:4a:3b')
  const client = 'd4d3c5b74e064badb9625a4aa6241bcc'
  const user = 'kp_0123456789abcdef0123456789abcdef'
  const claims = {
    aud: [],
    azp: client,
    ...LIVES,
    iss: issuer,
    jti: 'f95ed3e0-cc4d-40c4-b95a-9971729b0ae5',
    org_code: 'org_ba4a2311eb1',
    permissions: [],
    scp: ['openid', 'profile', 'email'],
    sub: user
  }
  return {
    provider: 'Kinde',
    sources: [
      'https://docs.kinde.com/build/tokens/about-access-tokens/',
      'https://docs.kinde.com/machine-to-machine-applications/about-m2m/token-structure-and-claims-for-m2m-applications'
    ],
    settings: { AUTH_JWT_ISSUER: issuer, AUTH_JWT_CLAIMS: `azp=${client},scp,!gty=client_credentials` },
    pages: { ...discovery(issuer, jwksUri), [jwksUri]: { keys: [key.jwk] } },
    tokens: [
      valid('without an API', tokenOf(key, JWT, claims), user),
      valid('for an API', tokenOf(key, JWT, { ...claims, aud: ['https://replies.example.com'] }), user),
      nearMiss('another app', tokenOf(key, JWT, { ...claims, azp: 'ffffffffffffffffffffffffffffffff' }), 'token-claim'),
      nearMiss(
        'the ID token',
        tokenOf(key, JWT, { aud: [issuer, client], azp: client, iss: issuer, sub: user, at_hash: 'x', ...LIVES }),
        'token-claim'
      ),
      doubtful(
        'a machine',
        tokenOf(key, JWT, { ...claims, sub: undefined, gty: ['client_credentials'], scope: 'write:flags', v: '2' }),
        'token-claim'
      )
    ]
  }
}

function descope(): LookAlike {
  const project = 'P2aBcDeFgHiJkLmNoPqRsTuVwXyZ'
  const jwksUri = `https://api.descope.com/v2/keys/${project}`
  const key = keyOf('RS256', 'SK2aBcDeFgHiJkLmNoPqRsTuVwXyZ')
  const user = 'U2aBcDeFgHiJkLmNoPqRsTuVwXyZ'
  const claims = { amr: ['email'], drn: 'DS', ...LIVES, iss: project, rexp: '2027-01-01T00:00:00Z', sub: user }
  return {
    provider: 'Descope',
    sources: ['https://docs.descope.com/session-overview', 'https://docs.descope.com/api/session/get-keys-v2'],
    settings: {
      AUTH_JWT_ISSUER: project,
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_JWT_CLAIMS: 'drn=DS,amr',
      UID_MODE: 'lower'
    },
    pages: { [jwksUri]: { keys: [key.jwk] } },
    tokens: [
      valid('a session', tokenOf(key, JWT, claims), user.toLowerCase()),
      valid(
        'a session of a tenant',
        tokenOf(key, JWT, { ...claims, dct: 'T2x', tenants: { T2x: {} } }),
        user.toLowerCase()
      ),
      nearMiss('another project', tokenOf(key, JWT, { ...claims, iss: 'P2other' }), 'token-issuer'),
      nearMiss('signed by another', tokenOf(foreignKey(key.kid), JWT, claims), 'token-signature'),
      doubtful('the refresh token', tokenOf(key, JWT, { ...claims, drn: 'DSR' }), 'token-claim')
    ]
  }
}

function stytch(): LookAlike {
  const project = 'project-live-c60c0abe-c25a-4472-a9ed-320c6667d317'
  const jwksUri = `https://api.stytch.com/v1/sessions/jwks/${project}`
  const key = keyOf('RS256', 'jwk-live-c05e6e15-1a93-4a0b-8b14-9ba7a3a86a5e')
  const user = 'user-live-16d9ba61-97a1-4ba4-9720-b03761dc50c6'
  const claims = {
    iss: `stytch.com/${project}`,
    aud: [project],
    sub: user,
    nbf: LIVES.iat,
    ...LIVES,
    'https://stytch.com/session': { id: 'session-live-1', authentication_factors: [{ type: 'password' }] }
  }
  return {
    provider: 'Stytch',
    sources: ['https://stytch.com/docs/guides/sessions/using-jwts', 'https://stytch.com/docs/api/jwks-get'],
    settings: {
      AUTH_JWT_ISSUER: `stytch.com/${project}`,
      AUTH_JWT_AUDIENCE: project,
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_JWT_CLAIMS: 'https://stytch.com/session'
    },
    pages: { [jwksUri]: { keys: [key.jwk] } },
    tokens: [
      valid('a session', tokenOf(key, JWT, claims), user),
      nearMiss('another project', tokenOf(key, JWT, { ...claims, iss: 'stytch.com/project-live-x' }), 'token-issuer'),
      nearMiss('for another audience', tokenOf(key, JWT, { ...claims, aud: ['project-live-x'] }), 'token-audience'),
      doubtful(
        'a connected app',
        tokenOf(key, JWT, { ...claims, 'https://stytch.com/session': undefined, client_id: 'connected-app-live-1' }),
        'token-claim'
      )
    ]
  }
}

export const HOSTED: readonly LookAlike[] = [
  firebase(),
  auth0(),
  auth0Connections(),
  cognito(),
  supabase(),
  supabaseSecret(),
  supabaseMigration(),
  clerk(),
  workos(),
  kinde(),
  descope(),
  stytch()
]
