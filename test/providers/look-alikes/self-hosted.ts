// Servers that a team runs itself, or that are sold as such.

import type { Page } from '../../helpers/internet.ts'
import { discovery, doubtful, type LookAlike, nearMiss, valid } from '../look-alike.ts'
import { EXPIRED, foreignKey, JWT, keyOf, LIVES, secretKey, tokenOf } from '../tokens.ts'

const USER = 'f1c4f64e-2c0c-4cda-8c9f-9f3f8f3a2b0e'
const USER_OF_DIGITS = '163840776835432705'

const REALM = 'https://sso.example.com/realms/acme'
const REALM_KEYS = `${REALM}/protocol/openid-connect/certs`
const realmKey = keyOf('RS256', 'nnniBrxL0qhG79pkF3ccQj_l0jDmxKrYYy2YLlEe1s')
/** The second key encrypts, and is in the set as well. */
const realmKeys = {
  keys: [
    { ...keyOf('RS256', 'enc').jwk, use: 'enc', alg: 'RSA-OAEP' },
    { ...realmKey.jwk, x5c: ['MIIC'] }
  ]
}
const realmClaims = {
  ...LIVES,
  jti: 'onrtac:312ee6a0-1d8c-4b6e-9b8a-8b6f2a1f3f3c',
  iss: REALM,
  aud: 'account',
  sub: USER,
  typ: 'Bearer',
  azp: 'web-app',
  sid: '4c0a3a8a-3a47-4f2f-8e89-9e5f9b0a0a0a',
  acr: '1',
  'allowed-origins': ['https://app.example.com'],
  realm_access: { roles: ['offline_access', 'uma_authorization', 'default-roles-acme'] },
  resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
  scope: 'openid email profile',
  email_verified: true,
  preferred_username: 'ada'
}
const { aud: _, ...realmClaimsOfNobody } = realmClaims
const KEYCLOAK_SOURCES = [
  'https://www.keycloak.org/docs/latest/server_admin/#_oidc',
  'https://docs.walt.id/wallet/api/auth/jwt-oidc/keycloak/api-endpoints'
]

function keycloak(): LookAlike {
  const refresh = secretKey('HS512', 'k'.repeat(64), '0a1b2c3d')
  return {
    provider: 'Keycloak',
    sources: KEYCLOAK_SOURCES,
    settings: { AUTH_JWT_ISSUER: REALM, AUTH_JWT_CLAIMS: 'azp=web-app,typ=Bearer,!client_id' },
    pages: { ...discovery(REALM, REALM_KEYS), [REALM_KEYS]: realmKeys },
    tokens: [
      valid('an access token', tokenOf(realmKey, JWT, realmClaims), USER),
      valid('a user without roles, so without an audience', tokenOf(realmKey, JWT, realmClaimsOfNobody), USER),
      valid(
        'with so many roles that it has 9 KiB',
        tokenOf(realmKey, JWT, {
          ...realmClaims,
          groups: Array.from({ length: 220 }, (_, n) => `/department/team-${n}/member-of-it`)
        }),
        USER
      ),
      nearMiss('another realm', tokenOf(realmKey, JWT, { ...realmClaims, iss: `${REALM}2` }), 'token-issuer'),
      nearMiss(
        'the ID token',
        tokenOf(realmKey, JWT, { ...realmClaims, aud: 'web-app', typ: 'ID', at_hash: 'x' }),
        'token-claim'
      ),
      nearMiss(
        'the refresh token',
        tokenOf(refresh, JWT, { ...realmClaims, aud: REALM, typ: 'Refresh' }),
        'token-algorithm'
      ),
      nearMiss('signed by another', tokenOf(foreignKey(realmKey.kid), JWT, realmClaims), 'token-signature'),
      doubtful('any other client of the realm', tokenOf(realmKey, JWT, { ...realmClaims, azp: 'wiki' }), 'token-claim'),
      doubtful(
        'a service account',
        tokenOf(realmKey, JWT, {
          ...realmClaims,
          preferred_username: 'service-account-web-app',
          client_id: 'web-app',
          clientHost: '192.0.2.1',
          clientAddress: '192.0.2.1'
        }),
        'token-claim'
      )
    ]
  }
}

function keycloakInside(): LookAlike {
  const jwksUri = 'http://keycloak:8080/realms/acme/protocol/openid-connect/certs'
  const named = { ...realmClaims, aud: ['replies', 'account'], preferred_username: 'ada' }
  return {
    provider: 'Keycloak, in the same cluster',
    sources: [...KEYCLOAK_SOURCES, 'https://www.keycloak.org/server/hostname'],
    settings: {
      AUTH_JWT_ISSUER: REALM,
      AUTH_JWT_AUDIENCE: 'replies',
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_HTTP_HOSTS: 'keycloak:8080',
      AUTH_JWT_CLAIMS: 'typ=Bearer,!client_id',
      UID_CLAIM: 'preferred_username'
    },
    pages: { [jwksUri]: realmKeys },
    tokens: [
      valid('with an audience mapper', tokenOf(realmKey, JWT, named), 'ada'),
      nearMiss('without it', tokenOf(realmKey, JWT, realmClaims), 'token-audience'),
      nearMiss(
        'a name that is no UID',
        tokenOf(realmKey, JWT, { ...named, preferred_username: 'ada@example.com' }),
        'uid-form',
        403
      )
    ]
  }
}

function zitadel(): LookAlike {
  const issuer = 'https://acme-abc123.zitadel.cloud'
  const jwksUri = `${issuer}/oauth/v2/keys`
  const key = keyOf('RS256', '163840776835432345')
  const project = '163840776835366913'
  const claims = {
    iss: issuer,
    sub: USER_OF_DIGITS,
    aud: ['163840776835432450@acme', project],
    ...LIVES,
    nbf: LIVES.iat,
    client_id: '163840776835432450@acme',
    jti: '163840776835432999'
  }
  const { client_id: client, jti: __, ...id } = claims
  return {
    provider: 'Zitadel',
    sources: ['https://zitadel.com/docs/apis/openidoauth/claims'],
    settings: { AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: project, AUTH_JWT_CLAIMS: 'jti' },
    pages: { ...discovery(issuer, jwksUri), [jwksUri]: { keys: [key.jwk] } },
    tokens: [
      valid('an access token', tokenOf(key, JWT, claims), USER_OF_DIGITS),
      nearMiss('another project', tokenOf(key, JWT, { ...claims, aud: ['1', '2'] }), 'token-audience'),
      nearMiss('too old', tokenOf(key, JWT, { ...claims, ...EXPIRED }), 'token-expired'),
      doubtful(
        'the ID token, which names the project as well',
        tokenOf(key, JWT, { ...id, azp: client, at_hash: 'x', amr: ['pwd'], auth_time: LIVES.iat }),
        'token-claim'
      )
    ]
  }
}

/** Answers as RFC 7662 §2.2 describes, where the question has the credential that is asked for. */
function introspection(authorization: string, answers: Readonly<Record<string, object>>): Page {
  return (form, headers) => {
    const isKnown = headers.authorization === authorization
    return isKnown ? (answers[form.get('token') ?? ''] ?? { active: false }) : { error: 'unauthorized' }
  }
}

function basic(client: string, secret: string): string {
  return `Basic ${btoa(`${client}:${secret}`)}`
}

function zitadelOpaque(): LookAlike {
  const issuer = 'https://acme-abc123.zitadel.cloud'
  const project = '163840776835366913'
  const answer = {
    active: true,
    iss: issuer,
    sub: USER_OF_DIGITS,
    aud: ['163840776835432450@acme', project],
    ...LIVES,
    client_id: '163840776835432450@acme',
    token_type: 'Bearer',
    scope: 'openid'
  }
  return {
    provider: 'Zitadel, opaque tokens',
    sources: ['https://zitadel.com/docs/guides/integrate/token-introspection/basic-auth'],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_AUDIENCE: project,
      AUTH_INTROSPECTION_URL: `${issuer}/oauth/v2/introspect`,
      AUTH_INTROSPECTION_CLIENT_ID: '163840776835432451',
      AUTH_INTROSPECTION_CLIENT_SECRET_FILE: '/run/secrets/introspection',
      AUTH_INTROSPECTION_TOKENS: 'all'
    },
    files: { '/run/secrets/introspection': 'example-of-a-client-secret' },
    pages: {
      [`${issuer}/oauth/v2/introspect`]: introspection(basic('163840776835432451', 'example-of-a-client-secret'), {
        VjVxyCZmRmWYqd3_F5db9Pb9mHR5fqzhn: answer,
        'for-another-project': { ...answer, aud: ['1'] }
      })
    },
    tokens: [
      valid('an access token', 'VjVxyCZmRmWYqd3_F5db9Pb9mHR5fqzhn', USER_OF_DIGITS),
      nearMiss('for another project', 'for-another-project', 'token-audience'),
      nearMiss('revoked', 'revoked-token', 'token-inactive')
    ]
  }
}

const HYDRA = 'https://hydra.example.com/'
const HYDRA_SOURCES = [
  'https://www.ory.com/docs/hydra/advanced#json-web-tokens',
  'https://docs.rs/ory-hydra-client/latest/src/ory_hydra_client/models/introspected_o_auth2_token.rs.html'
]

function hydra(): LookAlike {
  const jwksUri = `${HYDRA}.well-known/jwks.json`
  const key = keyOf('RS256', 'c8b8d6a4-9b5b-4b8b-8f1e-8f1e8f1e8f1e')
  const idKey = keyOf('RS256', 'a7a7d6a4-9b5b-4b8b-8f1e-8f1e8f1e8f1e')
  const claims = {
    aud: [],
    client_id: 'web-app',
    ...LIVES,
    ext: {},
    iss: HYDRA,
    jti: '72c5a2d0-b5c3-4f4e-9d35-6a1a2d2c3d4e',
    nbf: LIVES.iat,
    scp: ['openid', 'offline'],
    sub: USER
  }
  return {
    provider: 'Ory Hydra, JWT',
    sources: HYDRA_SOURCES,
    settings: { AUTH_JWT_ISSUER: HYDRA, AUTH_JWT_CLAIMS: 'client_id=web-app' },
    pages: { ...discovery(HYDRA, jwksUri), [jwksUri]: { keys: [idKey.jwk, key.jwk] } },
    tokens: [
      valid('without an audience', tokenOf(key, JWT, claims), USER),
      valid('with one', tokenOf(key, JWT, { ...claims, aud: ['https://replies.example.com'] }), USER),
      nearMiss('another client', tokenOf(key, JWT, { ...claims, client_id: 'wiki' }), 'token-claim'),
      nearMiss(
        'the ID token',
        tokenOf(idKey, JWT, { aud: ['web-app'], iss: HYDRA, sub: USER, sid: 's', at_hash: 'x', ...LIVES }),
        'token-claim'
      ),
      nearMiss(
        'the issuer without its slash',
        tokenOf(key, JWT, { ...claims, iss: HYDRA.slice(0, -1) }),
        'token-issuer'
      ),
      doubtful('a machine', tokenOf(key, JWT, { ...claims, client_id: 'billing', sub: 'billing' }), 'token-claim')
    ]
  }
}

function hydraOpaque(): LookAlike {
  const url = 'http://hydra:4445/admin/oauth2/introspect'
  const answer = {
    active: true,
    scope: 'openid',
    client_id: 'web-app',
    sub: USER,
    ...LIVES,
    nbf: LIVES.iat,
    aud: [],
    iss: HYDRA,
    token_type: 'Bearer',
    token_use: 'access_token'
  }
  return {
    provider: 'Ory Hydra, opaque tokens',
    sources: HYDRA_SOURCES,
    settings: {
      AUTH_JWT_ISSUER: HYDRA,
      AUTH_JWT_CLAIMS: 'client_id=web-app,token_use=access_token',
      AUTH_INTROSPECTION_URL: url,
      AUTH_INTROSPECTION_CLIENT_ID: 'thread-replies',
      AUTH_INTROSPECTION_CLIENT_SECRET_FILE: '/run/secrets/introspection',
      AUTH_INTROSPECTION_TOKENS: 'all',
      AUTH_HTTP_HOSTS: 'hydra:4445'
    },
    files: { '/run/secrets/introspection': 'example-of-a-client-secret' },
    pages: {
      [url]: introspection(basic('thread-replies', 'example-of-a-client-secret'), {
        'ory_at_q1w2e3.r4t5y6': answer,
        'ory_at_other.client': { ...answer, client_id: 'wiki' },
        'ory_rt_q1w2e3.r4t5y6': { ...answer, token_use: 'refresh_token', token_type: undefined }
      })
    },
    tokens: [
      valid('an access token', 'ory_at_q1w2e3.r4t5y6', USER),
      nearMiss('another client', 'ory_at_other.client', 'token-claim'),
      nearMiss('revoked', 'ory_at_revoked.token', 'token-inactive'),
      doubtful('the refresh token, which is active, too', 'ory_rt_q1w2e3.r4t5y6', 'token-claim')
    ]
  }
}

function oryNetwork(): LookAlike {
  const issuer = 'https://acme-abc123.projects.oryapis.com'
  const url = `${issuer}/admin/oauth2/introspect`
  const answer = {
    active: true,
    scope: 'openid',
    client_id: 'web-app',
    sub: USER,
    ...LIVES,
    aud: [],
    iss: issuer,
    token_type: 'Bearer',
    token_use: 'access_token'
  }
  return {
    provider: 'Ory Network',
    sources: [
      'https://www.ory.com/docs/concepts/personal-access-token',
      'https://www.ory.com/docs/hydra/reference/api'
    ],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_CLAIMS: 'client_id=web-app,token_use=access_token',
      AUTH_INTROSPECTION_URL: url,
      AUTH_INTROSPECTION_TOKEN_FILE: '/run/secrets/introspection',
      AUTH_INTROSPECTION_TOKENS: 'all'
    },
    files: { '/run/secrets/introspection': 'ory_pat_example' },
    pages: {
      [url]: introspection('Bearer ory_pat_example', {
        'ory_at_q1w2e3.r4t5y6': answer,
        'ory_at_other.client': { ...answer, client_id: 'wiki' }
      })
    },
    tokens: [
      valid('an access token', 'ory_at_q1w2e3.r4t5y6', USER),
      nearMiss('another client', 'ory_at_other.client', 'token-claim'),
      nearMiss('revoked', 'ory_at_revoked.token', 'token-inactive')
    ]
  }
}

function logto(): LookAlike {
  const issuer = 'https://acme.logto.app/oidc'
  const jwksUri = `${issuer}/jwks`
  const key = keyOf('ES384', 'Yk2gKzX0yT7QqQ5x0bq6d9o1kJrV0Qm1f2hCw3n4p5s')
  const header = { typ: 'at+jwt' }
  const claims = {
    jti: 'Zk7vAq2oG8m',
    sub: 'foo7kq2m9xya',
    ...LIVES,
    scope: 'replies:write',
    client_id: 'u3w8v1k0app',
    iss: issuer,
    aud: 'https://replies.example.com'
  }
  return {
    provider: 'Logto',
    sources: [
      'https://docs.logto.io/authorization/validate-access-tokens',
      'https://docs.logto.io/authorization/api-resources/protect-your-api'
    ],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_AUDIENCE: 'https://replies.example.com',
      AUTH_JWT_TYP: 'at+jwt',
      AUTH_JWT_CLAIMS: 'client_id=u3w8v1k0app'
    },
    pages: { ...discovery(issuer, jwksUri), [jwksUri]: { keys: [key.jwk] } },
    tokens: [
      valid('an access token for the API', tokenOf(key, header, claims), 'foo7kq2m9xya'),
      nearMiss('the ID token', tokenOf(key, JWT, { ...claims, aud: 'u3w8v1k0app' }), 'token-audience'),
      nearMiss(
        'a token of an organisation',
        tokenOf(key, header, { ...claims, aud: 'urn:logto:organization:x1y2' }),
        'token-audience'
      ),
      nearMiss('of another type', tokenOf(key, JWT, claims), 'token-type'),
      doubtful('a machine', tokenOf(key, header, { ...claims, sub: 'm2mapp', client_id: 'm2mapp' }), 'token-claim')
    ]
  }
}

function fusionAuth(): LookAlike {
  const jwksUri = 'https://auth.example.com/.well-known/jwks.json'
  const key = keyOf('RS256', '1aAJ9LBm3P8UoA3rhCh5Vxd8Xi4')
  const app = '3c219e58-ed0e-4b18-ad48-f4f92793ae32'
  const claims = {
    aud: app,
    ...LIVES,
    iss: 'acme.com',
    sub: USER,
    jti: '05c2cd8b-b2d8-4a53-a6a8-2f0a7a8a3a4a',
    authenticationType: 'PASSWORD',
    applicationId: app,
    roles: ['user'],
    auth_time: LIVES.iat,
    tid: '30663132-6464-6665-3032-326466613934',
    tty: 'at'
  }
  return {
    provider: 'FusionAuth',
    sources: ['https://fusionauth.io/docs/lifecycle/authenticate-users/oauth/tokens'],
    settings: {
      AUTH_JWT_ISSUER: 'acme.com',
      AUTH_JWT_AUDIENCE: app,
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_JWT_CLAIMS: 'tty=at'
    },
    pages: { [jwksUri]: { keys: [{ ...key.jwk, x5c: ['MIIC'], x5t: 'x' }] } },
    tokens: [
      valid('an access token', tokenOf(key, { ...JWT, gty: ['password'] }, claims), USER),
      nearMiss('another application', tokenOf(key, JWT, { ...claims, aud: 'other' }), 'token-audience'),
      nearMiss('another issuer', tokenOf(key, JWT, { ...claims, iss: 'fusionauth.io' }), 'token-issuer'),
      doubtful('the ID token', tokenOf(key, JWT, { ...claims, tty: 'id' }), 'token-claim')
    ]
  }
}

function superTokens(): LookAlike {
  const issuer = 'https://api.example.com/auth'
  const jwksUri = `${issuer}/jwt/jwks.json`
  const key = keyOf('RS256', 'd-1700000000000')
  const second = keyOf('RS256', 's-2de612a5-a5ba-413e-9216-4c43e2e78c86', 'foreignRsa')
  const header = { ...JWT, version: '5' }
  const claims = {
    ...LIVES,
    sub: USER,
    tId: 'public',
    rsub: USER,
    sessionHandle: '1f2e3d4c-1111-2222-3333-444455556666',
    refreshTokenHash1: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    parentRefreshTokenHash1: null,
    antiCsrfToken: null,
    iss: issuer,
    'st-ev': { v: true, t: 1700000000000 }
  }
  return {
    provider: 'SuperTokens',
    sources: [
      'https://supertokens.com/docs/additional-verification/session-verification/protect-api-routes/manual-jwt-verification'
    ],
    settings: {
      AUTH_JWT_ISSUER: issuer,
      AUTH_JWT_JWKS_URL: jwksUri,
      AUTH_JWT_CLAIMS: 'tId=public,sessionHandle,st-ev.v=true',
      AUTH_JWT_COOKIE: 'sAccessToken'
    },
    pages: { [jwksUri]: { keys: [key.jwk, second.jwk] } },
    tokens: [
      valid('in Authorization', tokenOf(key, header, claims), USER),
      {
        ...valid('in its cookie', tokenOf(key, header, claims), USER),
        headers: token => ({ cookie: `sAccessToken=${token}; sFrontToken=abc`, 'x-csrf': '1' })
      },
      nearMiss('another tenant', tokenOf(key, header, { ...claims, tId: 'acme' }), 'token-claim'),
      nearMiss('another API', tokenOf(key, header, { ...claims, iss: 'https://api.other.com/auth' }), 'token-issuer'),
      doubtful(
        'a JWT that the backend made for a service',
        tokenOf(second, JWT, { iss: issuer, sub: 'billing', ...LIVES }),
        'token-claim'
      ),
      doubtful(
        'a user whose address is not verified',
        tokenOf(key, header, { ...claims, 'st-ev': { v: false, t: 1 } }),
        'token-claim'
      )
    ]
  }
}

export const SELF_HOSTED: readonly LookAlike[] = [
  keycloak(),
  keycloakInside(),
  zitadel(),
  zitadelOpaque(),
  hydra(),
  hydraOpaque(),
  oryNetwork(),
  logto(),
  fusionAuth(),
  superTokens()
]
