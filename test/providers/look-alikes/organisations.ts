// Providers that an organisation signs in at: Okta, Entra, Google, Apple.
import { discovery, doubtful, type LookAlike, nearMiss, valid } from '../look-alike.ts'
import { EXPIRED, foreignKey, JWT, keyOf, LIVES, tokenOf } from '../tokens.ts'

function okta(): LookAlike {
  const issuer = 'https://acme.okta.com/oauth2/default'
  const jwksUri = `${issuer}/v1/keys`
  const key = keyOf('RS256', 'ZkvelLN_seik7w4pc_prCcfUf-h2hFfiwkDeCrs0iUc')
  const [client, user] = ['0oa1abcd2EFGHIJK3456', '00u1abcd2EFGHIJK3456']
  const claims = {
    ver: 1,
    jti: 'AT.MNAoEQ_jbKqoinrQo1D0XKjMX28U5d7ZszBceot7-Ts',
    iss: issuer,
    aud: 'api://default',
    ...LIVES,
    cid: client,
    uid: user,
    scp: ['openid', 'profile'],
    auth_time: LIVES.iat,
    sub: 'ada@example.com'
  }
  const { uid, ...machine } = claims
  return {
    provider: 'Okta, custom authorization server',
    sources: [
      'https://developer.okta.com/docs/guides/validate-access-tokens/',
      'https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/CustomAS'
    ],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_AUDIENCE: 'api://default',
      AUTH_JWT_CLAIMS: `cid=${client},uid`,
      UID_CLAIM: 'uid',
      UID_MODE: 'lower'
    },
    pages: { ...discovery(issuer, jwksUri), [jwksUri]: { keys: [key.jwk] } },
    tokens: [
      valid('an access token', tokenOf(key, {}, claims), user.toLowerCase()),
      valid('with groups', tokenOf(key, {}, { ...claims, groups: ['Everyone'] }), user.toLowerCase()),
      nearMiss(
        'of the org server',
        tokenOf(key, {}, { ...claims, iss: 'https://acme.okta.com', aud: 'https://acme.okta.com' }),
        'token-issuer'
      ),
      nearMiss(
        'the ID token',
        tokenOf(key, {}, { ...claims, aud: client, sub: uid, jti: 'ID.radC' }),
        'token-audience'
      ),
      nearMiss('another app', tokenOf(key, {}, { ...claims, cid: '0oaOTHER' }), 'token-claim'),
      doubtful('a machine', tokenOf(key, {}, { ...machine, sub: client, scp: ['replies'] }), 'token-claim')
    ]
  }
}

const [TENANT, SECOND, STRANGER] = [
  'aaaabbbb-0000-cccc-1111-dddd2222eeee',
  'bbbbcccc-1111-dddd-2222-eeee3333ffff',
  'ccccdddd-2222-eeee-3333-ffff4444aaaa'
]
const API = '00001111-aaaa-2222-bbbb-3333cccc4444'
const OID = 'aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb'
const ENTRA_SOURCES = [
  'https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference',
  'https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens'
]
const entraIssuer = (tenant: string): string => `https://login.microsoftonline.com/${tenant}/v2.0`
const entraClaims = (tenant: string) => ({
  aud: API,
  iss: entraIssuer(tenant),
  nbf: LIVES.iat,
  ...LIVES,
  aio: 'AXQAi/8IAAAAdGVzdA==',
  azp: '11112222-bbbb-3333-cccc-4444dddd5555',
  azpacr: '0',
  name: 'Ada Lovelace',
  oid: OID,
  preferred_username: 'ada@example.com',
  rh: '0.AX0A',
  scp: 'Replies.Write User.Read',
  sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
  tid: tenant,
  uti: 'abcdefghijklmnopqrstuv',
  ver: '2.0'
})
const entraKey = keyOf('RS256', '1LTMzakihiRla_8z2BEJVXeWMqo')
/** Microsoft publishes keys without `alg`, with the issuer that they are for. */
const entraKeys = (issuer: string) => {
  const { alg: _, ...jwk } = entraKey.jwk
  return { keys: [{ ...jwk, x5t: jwk['kid'], x5c: ['MIIC'], issuer }] }
}

function entra(): LookAlike {
  const issuer = entraIssuer(TENANT)
  const jwksUri = `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`
  const claims = entraClaims(TENANT)
  const { scp, ...unscoped } = claims
  return {
    provider: 'Microsoft Entra ID',
    sources: ENTRA_SOURCES,
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_AUDIENCE: API,
      AUTH_JWT_SCOPE: 'Replies.Write',
      AUTH_JWT_CLAIMS: 'scp,!idtyp=app',
      UID_CLAIM: 'oid'
    },
    pages: { ...discovery(issuer, jwksUri), [jwksUri]: entraKeys(issuer) },
    tokens: [
      valid('an access token', tokenOf(entraKey, { ...JWT, x5t: entraKey.kid }, claims), OID),
      valid('of the one scope', tokenOf(entraKey, JWT, { ...claims, scp: 'Replies.Write' }), OID),
      nearMiss('another tenant', tokenOf(entraKey, JWT, entraClaims(SECOND)), 'token-issuer'),
      nearMiss(
        'a token for Graph',
        tokenOf(entraKey, { ...JWT, nonce: 'abc' }, { ...claims, aud: '00000003-0000-0000-c000-000000000000' }),
        'token-audience'
      ),
      nearMiss('another permission', tokenOf(entraKey, JWT, { ...claims, scp: 'Replies.Read' }), 'token-scope', 403),
      doubtful(
        'the ID token of the same registration',
        tokenOf(entraKey, JWT, { ...unscoped, nonce: 'n' }),
        'token-claim'
      ),
      doubtful(
        'an app without a user, whose role is called like the scope',
        tokenOf(entraKey, JWT, { ...unscoped, sub: OID, azpacr: '1', roles: ['Replies.Write'], idtyp: 'app' }),
        'token-claim'
      )
    ]
  }
}

function entraTenants(): LookAlike {
  const jwksUri = 'https://login.microsoftonline.com/common/discovery/v2.0/keys'
  const template = 'https://login.microsoftonline.com/{tenantid}/v2.0'
  const token = (claims: object): string => tokenOf(entraKey, JWT, { ...claims })
  return {
    provider: 'Microsoft Entra ID, several tenants',
    sources: ENTRA_SOURCES,
    settings: { AUTH_ISSUERS_FILE: '/run/config/issuers.json' },
    files: {
      '/run/config/issuers.json': [
        {
          issuer: template,
          jwksUrl: jwksUri,
          tenants: [TENANT, SECOND],
          audience: [API],
          scope: 'Replies.Write',
          claims: 'scp',
          uidClaim: 'oid'
        }
      ]
    },
    pages: { [jwksUri]: entraKeys(template) },
    tokens: [
      valid('of one tenant', token(entraClaims(TENANT)), OID),
      valid('of the other', token({ ...entraClaims(SECOND), oid: OID.replace('a', 'c') }), OID.replace('a', 'c')),
      nearMiss('a tenant that is not listed', token(entraClaims(STRANGER)), 'token-issuer'),
      nearMiss('a personal account', token(entraClaims('9188040d-6c67-4c5b-b112-36a304b66dad')), 'token-issuer'),
      nearMiss('`tid` of another tenant than `iss`', token({ ...entraClaims(TENANT), tid: SECOND }), 'token-claim'),
      nearMiss(
        'the template itself',
        token({ ...entraClaims(TENANT), iss: template, tid: '{tenantid}' }),
        'token-issuer'
      )
    ]
  }
}

function entraVersions(): LookAlike {
  const jwksUri = `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`
  const old = `https://sts.windows.net/${TENANT}/`
  const common = { jwksUrl: jwksUri, scope: 'Replies.Write', claims: 'scp', uidClaim: 'oid', usersOf: TENANT }
  const { azp, preferred_username, ...claims } = entraClaims(TENANT)
  return {
    provider: 'Microsoft Entra ID, v1 and v2',
    sources: ENTRA_SOURCES,
    settings: { AUTH_ISSUERS_FILE: '/run/config/issuers.json' },
    files: {
      '/run/config/issuers.json': [
        { issuer: entraIssuer(TENANT), audience: [API], ...common },
        { issuer: old, audience: [`api://${API}`], ...common }
      ]
    },
    pages: { [jwksUri]: entraKeys(entraIssuer(TENANT)) },
    tokens: [
      valid('v2', tokenOf(entraKey, JWT, entraClaims(TENANT)), OID),
      valid(
        'v1',
        tokenOf(entraKey, JWT, {
          ...claims,
          iss: old,
          aud: `api://${API}`,
          appid: azp,
          unique_name: preferred_username,
          ver: '1.0'
        }),
        OID
      ),
      nearMiss(
        'v1 with the audience of v2',
        tokenOf(entraKey, JWT, { ...claims, iss: old, ver: '1.0' }),
        'token-audience'
      ),
      nearMiss(
        'v1 of another tenant',
        tokenOf(entraKey, JWT, { ...claims, iss: `https://sts.windows.net/${SECOND}/` }),
        'token-issuer'
      )
    ]
  }
}

function entraB2c(): LookAlike {
  const issuer = `https://acme.b2clogin.com/${TENANT}/v2.0/`
  const jwksUri = 'https://acme.b2clogin.com/acme.onmicrosoft.com/b2c_1_signin/discovery/v2.0/keys'
  const key = keyOf('RS256', 'X5eXk4xyojNFum1kl2Ytv8dlNP4-c57dO6QGTVBwaNk')
  const {
    iss: _,
    oid,
    preferred_username,
    ...claims
  } = { ...entraClaims(TENANT), iss: issuer, sub: OID, tfp: 'B2C_1_signin', ver: '1.0' }
  const token = { ...claims, iss: issuer, emails: [preferred_username], oid }
  return {
    provider: 'Azure AD B2C',
    sources: ['https://learn.microsoft.com/en-us/azure/active-directory-b2c/tokens-overview'],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_AUDIENCE: API,
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_JWT_SCOPE: 'Replies.Write',
      AUTH_JWT_CLAIMS: 'tfp=B2C_1_signin'
    },
    pages: { [jwksUri]: { keys: [{ ...key.jwk, nbf: 1493763266 }] } },
    tokens: [
      valid('an access token', tokenOf(key, JWT, token), OID),
      nearMiss('another policy', tokenOf(key, JWT, { ...token, tfp: 'B2C_1_reset' }), 'token-claim'),
      nearMiss('another app', tokenOf(key, JWT, { ...token, aud: 'other' }), 'token-audience'),
      doubtful('the ID token', tokenOf(key, JWT, { ...token, scp: undefined, nonce: 'n' }), 'token-scope', 403)
    ]
  }
}

const GOOGLE = 'https://accounts.google.com'
const GOOGLE_KEYS = 'https://www.googleapis.com/oauth2/v3/certs'
const GOOGLE_CLIENTS = ['web', 'ios', 'android'].map(app => `1008719970978-${app}.apps.googleusercontent.com`)
const [GOOGLE_WEB = '', GOOGLE_IOS = ''] = GOOGLE_CLIENTS
const GOOGLE_SOURCES = ['https://developers.google.com/identity/gsi/web/guides/verify-google-id-token']
const googleClaims = {
  iss: GOOGLE,
  azp: GOOGLE_WEB,
  aud: GOOGLE_WEB,
  sub: '110169484474386276334',
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada Lovelace',
  picture: 'https://lh4.googleusercontent.com/a/photo=s96-c',
  jti: 'abc161fcad3a',
  ...LIVES
}

function google(): LookAlike {
  const key = keyOf('RS256', 'a50f6e70ef4b548a5fd9142eecd1fb8f54dce9ee')
  return {
    provider: 'Google',
    sources: GOOGLE_SOURCES,
    settings: { AUTH_JWT_ISSUER: GOOGLE, AUTH_JWT_AUDIENCE: GOOGLE_CLIENTS.join(',') },
    pages: { ...discovery(GOOGLE, GOOGLE_KEYS), [GOOGLE_KEYS]: { keys: [key.jwk] } },
    tokens: [
      valid('the web app', tokenOf(key, JWT, googleClaims), googleClaims.sub),
      valid('the iOS app', tokenOf(key, JWT, { ...googleClaims, aud: GOOGLE_IOS, azp: GOOGLE_IOS }), googleClaims.sub),
      valid(
        'the Android app, for the web client',
        tokenOf(key, JWT, { ...googleClaims, azp: GOOGLE_CLIENTS[2] }),
        googleClaims.sub
      ),
      nearMiss(
        'an app of somebody else',
        tokenOf(key, JWT, { ...googleClaims, aud: 'evil.apps.googleusercontent.com' }),
        'token-audience'
      ),
      nearMiss('an access token', `ya29.${'a'.repeat(160)}`, 'token-form'),
      nearMiss('too old', tokenOf(key, JWT, { ...googleClaims, ...EXPIRED }), 'token-expired')
    ]
  }
}

function googleSpellings(): LookAlike {
  const key = keyOf('RS256', 'a50f6e70ef4b548a5fd9142eecd1fb8f54dce9ee')
  const common = { audience: GOOGLE_CLIENTS, jwksUrl: GOOGLE_KEYS, usersOf: GOOGLE }
  return {
    provider: 'Google, both spellings of its issuer',
    sources: GOOGLE_SOURCES,
    settings: { AUTH_ISSUERS_FILE: '/run/config/issuers.json' },
    files: {
      '/run/config/issuers.json': [
        { issuer: GOOGLE, ...common },
        { issuer: 'accounts.google.com', ...common }
      ]
    },
    pages: { [GOOGLE_KEYS]: { keys: [key.jwk] } },
    tokens: [
      valid('with https://', tokenOf(key, JWT, googleClaims), googleClaims.sub),
      valid('without', tokenOf(key, JWT, { ...googleClaims, iss: 'accounts.google.com' }), googleClaims.sub),
      nearMiss('with a slash', tokenOf(key, JWT, { ...googleClaims, iss: `${GOOGLE}/` }), 'token-issuer'),
      nearMiss(
        'an app of somebody else',
        tokenOf(key, JWT, { ...googleClaims, iss: 'accounts.google.com', aud: 'x' }),
        'token-audience'
      )
    ]
  }
}

function apple(): LookAlike {
  const issuer = 'https://appleid.apple.com'
  const jwksUri = `${issuer}/auth/keys`
  const key = keyOf('RS256', 'Sf2lFqwkpX')
  const user = '001234.0123456789abcdef0123456789abcdef.1234'
  const claims = {
    iss: issuer,
    aud: 'com.acme.app',
    ...LIVES,
    sub: user,
    c_hash: 'x',
    email: 'a1b2@privaterelay.appleid.com',
    email_verified: 'true',
    is_private_email: 'true',
    auth_time: LIVES.iat,
    nonce_supported: true
  }
  const uid = `hash of ${issuer} and ${user}`
  const { sub: _, ...notification } = claims
  return {
    provider: 'Sign in with Apple',
    sources: [
      'https://developer.apple.com/documentation/signinwithapplerestapi/verifying_a_user',
      'https://developer.apple.com/documentation/signinwithapple/processing-changes-for-sign-in-with-apple-accounts'
    ],
    settings: { AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: 'com.acme.app,com.acme.web', UID_MODE: 'hash' },
    pages: { ...discovery(issuer, jwksUri), [jwksUri]: { keys: [keyOf('RS256', 'other').jwk, key.jwk] } },
    tokens: [
      valid('of the app', tokenOf(key, {}, claims), uid),
      valid('of the web', tokenOf(key, {}, { ...claims, aud: 'com.acme.web', email_verified: true }), uid),
      nearMiss('an app of somebody else', tokenOf(key, {}, { ...claims, aud: 'com.evil.app' }), 'token-audience'),
      nearMiss('signed by another', tokenOf(foreignKey(key.kid), {}, claims), 'token-signature'),
      doubtful(
        'a notice that an account was closed',
        tokenOf(key, {}, { ...notification, events: `{"type":"account-deleted","sub":"${user}"}` }),
        'uid-missing',
        403
      )
    ]
  }
}

export const ORGANISATIONS: readonly LookAlike[] = [
  okta(),
  entra(),
  entraTenants(),
  entraVersions(),
  entraB2c(),
  google(),
  googleSpellings(),
  apple()
]
