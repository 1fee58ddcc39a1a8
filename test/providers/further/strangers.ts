// Providers and libraries that have no row in the table, with what its sentences lead to: an issuer and an audience, a claim
// in its place, or a key of one's own and what tells access tokens apart.
import { doubtful, type LookAlike, type LookAlikeToken, nearMiss, valid } from '../look-alike.ts'
import { APP_SECRET, JWT, keyOf, LIVES, secretKey, tokenOf } from '../tokens.ts'

const rsa = keyOf('RS256', 'key-1')
const ec = keyOf('ES256', 'key-1')
const hs = secretKey('HS256', APP_SECRET)

/** An issuer whose key set has one key of each kind. */
function issuerOf(
  provider: string,
  source: string,
  more: Readonly<Record<string, string>>,
  tokens: readonly LookAlikeToken[]
): LookAlike {
  const jwksUri = 'https://keys.example.com/jwks'
  return {
    provider,
    sources: [source],
    settings: { AUTH_JWT_JWKS_URL: jwksUri, ...more },
    pages: { [jwksUri]: { keys: [rsa.jwk, { ...ec.jwk, kid: 'key-1' }] } },
    tokens
  }
}

/** An app that signs with a secret of its own. */
function appWith(
  provider: string,
  source: string,
  more: Readonly<Record<string, string>>,
  tokens: readonly LookAlikeToken[]
): LookAlike {
  return {
    provider,
    sources: [source],
    settings: { AUTH_JWT_SECRET_FILE: '/run/secrets/jwt-secret', ...more },
    files: { '/run/secrets/jwt-secret': APP_SECRET },
    pages: {},
    tokens
  }
}

const HOSTED: readonly LookAlike[] = [
  issuerOf(
    'Authentik',
    'https://docs.goauthentik.io/add-secure-apps/providers/oauth2/',
    { AUTH_JWT_ISSUER: 'https://auth.acme.test/application/o/chat/', AUTH_JWT_AUDIENCE: 'chat-client' },
    [
      valid(
        'a hashed id',
        tokenOf(rsa, JWT, {
          iss: 'https://auth.acme.test/application/o/chat/',
          sub: 'a'.repeat(64),
          aud: 'chat-client',
          azp: 'chat-client',
          uid: 'x',
          ...LIVES
        }),
        'a'.repeat(64)
      ),
      nearMiss(
        'another application',
        tokenOf(rsa, JWT, {
          iss: 'https://auth.acme.test/application/o/wiki/',
          sub: 'a'.repeat(64),
          aud: 'wiki',
          ...LIVES
        }),
        'token-issuer'
      )
    ]
  ),
  issuerOf(
    'Casdoor',
    'https://casdoor.org/docs/token/overview',
    {
      AUTH_JWT_ISSUER: 'https://door.acme.test',
      AUTH_JWT_AUDIENCE: '0ba528121ea87b3eb54d',
      AUTH_JWT_CLAIMS: 'tokenType=access-token'
    },
    [
      valid(
        'an access token with a profile',
        tokenOf(rsa, JWT, {
          owner: 'acme',
          name: 'ada',
          id: '9eb20f79-3bb5-4e74-99ac-39e3b9a171e8',
          tokenType: 'access-token',
          azp: '0ba528121ea87b3eb54d',
          iss: 'https://door.acme.test',
          sub: '9eb20f79-3bb5-4e74-99ac-39e3b9a171e8',
          aud: ['0ba528121ea87b3eb54d'],
          nbf: LIVES.iat,
          ...LIVES
        }),
        '9eb20f79-3bb5-4e74-99ac-39e3b9a171e8'
      ),
      nearMiss(
        'the refresh token',
        tokenOf(rsa, JWT, {
          tokenType: 'refresh-token',
          iss: 'https://door.acme.test',
          sub: 'x',
          aud: ['0ba528121ea87b3eb54d'],
          ...LIVES
        }),
        'token-claim'
      )
    ]
  ),
  issuerOf(
    'OneLogin',
    'https://developers.onelogin.com/openid-connect',
    { AUTH_JWT_ISSUER: 'https://acme.onelogin.com/oidc/2', AUTH_JWT_AUDIENCE: 'https://replies.example.com' },
    [
      valid(
        'an access token of an API',
        tokenOf(rsa, JWT, {
          iss: 'https://acme.onelogin.com/oidc/2',
          sub: '12345678',
          aud: 'https://replies.example.com',
          scope: 'openid',
          ...LIVES
        }),
        '12345678'
      ),
      nearMiss(
        'the ID token',
        tokenOf(rsa, JWT, { iss: 'https://acme.onelogin.com/oidc/2', sub: '12345678', aud: 'client-1', ...LIVES }),
        'token-audience'
      )
    ]
  ),
  issuerOf(
    'PingOne',
    'https://docs.pingidentity.com/pingone/',
    { AUTH_JWT_ISSUER: 'https://auth.pingone.eu/env-1/as', AUTH_JWT_AUDIENCE: 'https://replies.example.com' },
    [
      valid(
        'a user',
        tokenOf(
          rsa,
          {},
          {
            client_id: 'c',
            iss: 'https://auth.pingone.eu/env-1/as',
            aud: ['https://replies.example.com'],
            sub: 'f1a2b3c4-0000-4000-8000-000000000001',
            sid: 's',
            env: 'env-1',
            org: 'o',
            ...LIVES
          }
        ),
        'f1a2b3c4-0000-4000-8000-000000000001'
      ),
      doubtful(
        'a machine, which has no subject',
        tokenOf(
          rsa,
          {},
          { client_id: 'c', iss: 'https://auth.pingone.eu/env-1/as', aud: ['https://replies.example.com'], ...LIVES }
        ),
        'uid-missing',
        403
      )
    ]
  ),
  issuerOf(
    'Duende IdentityServer',
    'https://docs.duendesoftware.com/identityserver/tokens/',
    { AUTH_JWT_ISSUER: 'https://id.acme.test', AUTH_JWT_AUDIENCE: 'replies', AUTH_JWT_TYP: 'at+jwt' },
    [
      valid(
        'an access token',
        tokenOf(
          rsa,
          { typ: 'at+jwt' },
          {
            iss: 'https://id.acme.test',
            aud: 'replies',
            client_id: 'web',
            sub: '88421113',
            idp: 'local',
            amr: ['pwd'],
            scope: ['openid', 'replies'],
            nbf: LIVES.iat,
            ...LIVES
          }
        ),
        '88421113'
      ),
      nearMiss(
        'the ID token',
        tokenOf(rsa, JWT, { iss: 'https://id.acme.test', aud: 'web', sub: '88421113', ...LIVES }),
        'token-audience'
      ),
      nearMiss(
        'an access token of another type',
        tokenOf(rsa, JWT, { iss: 'https://id.acme.test', aud: 'replies', sub: '1', ...LIVES }),
        'token-type'
      )
    ]
  ),
  issuerOf(
    'Spring Authorization Server',
    'https://docs.spring.io/spring-authorization-server/reference/core-model-components.html',
    { AUTH_JWT_ISSUER: 'https://spring.acme.test', AUTH_JWT_AUDIENCE: 'messaging-client' },
    [
      valid(
        'a user',
        tokenOf(
          rsa,
          {},
          {
            sub: 'ada',
            aud: ['messaging-client'],
            nbf: LIVES.iat,
            scope: ['openid', 'message.read'],
            iss: 'https://spring.acme.test',
            jti: 'j',
            ...LIVES
          }
        ),
        'ada'
      ),
      nearMiss(
        'another client',
        tokenOf(rsa, {}, { sub: 'ada', aud: 'other-client', iss: 'https://spring.acme.test', ...LIVES }),
        'token-audience'
      )
    ]
  ),
  issuerOf(
    'Frontegg',
    'https://developers.frontegg.com/ciam/guides/authentication/tokens',
    {
      AUTH_JWT_ISSUER: 'https://acme.frontegg.com',
      AUTH_JWT_AUDIENCE: 'd5a0b1c2-0000-4000-8000-000000000009',
      AUTH_JWT_CLAIMS: 'type=userToken'
    },
    [
      valid(
        'a user of a tenant',
        tokenOf(rsa, JWT, {
          sub: 'f1a2b3c4-0000-4000-8000-000000000002',
          type: 'userToken',
          tenantId: 't',
          tenantIds: ['t'],
          roles: [],
          aud: 'd5a0b1c2-0000-4000-8000-000000000009',
          iss: 'https://acme.frontegg.com',
          ...LIVES
        }),
        'f1a2b3c4-0000-4000-8000-000000000002'
      ),
      nearMiss(
        'a token of a tenant',
        tokenOf(rsa, JWT, {
          sub: 'x',
          type: 'tenantApiToken',
          aud: 'd5a0b1c2-0000-4000-8000-000000000009',
          iss: 'https://acme.frontegg.com',
          ...LIVES
        }),
        'token-claim'
      )
    ]
  ),
  issuerOf(
    'Privy',
    'https://docs.privy.io/authentication/user-authentication/access-tokens',
    { AUTH_JWT_ISSUER: 'privy.io', AUTH_JWT_AUDIENCE: 'clxapp000001', UID_STRIP: 'did:privy:' },
    [
      valid(
        'an access token',
        tokenOf(ec, JWT, {
          sid: 's',
          iss: 'privy.io',
          aud: 'clxapp000001',
          sub: 'did:privy:clx1a2b3c4d5e6f7',
          ...LIVES
        }),
        'clx1a2b3c4d5e6f7'
      ),
      nearMiss(
        'another app',
        tokenOf(ec, JWT, {
          sid: 's',
          iss: 'privy.io',
          aud: 'clxapp000002',
          sub: 'did:privy:clx1a2b3c4d5e6f7',
          ...LIVES
        }),
        'token-audience'
      )
    ]
  ),
  issuerOf(
    'Facebook Limited Login',
    'https://developers.facebook.com/docs/facebook-login/limited-login/token/validating/',
    { AUTH_JWT_ISSUER: 'https://www.facebook.com', AUTH_JWT_AUDIENCE: '1234567890' },
    [
      valid(
        'an OIDC token',
        tokenOf(rsa, JWT, {
          iss: 'https://www.facebook.com',
          aud: '1234567890',
          sub: '10158431234567890',
          nonce: 'n',
          name: 'Ada',
          picture: 'https://x.example/y',
          ...LIVES
        }),
        '10158431234567890'
      ),
      nearMiss(
        'of the Facebook app of another',
        tokenOf(rsa, JWT, { iss: 'https://www.facebook.com', aud: '999', sub: '1', ...LIVES }),
        'token-audience'
      )
    ]
  ),
  issuerOf(
    'Salesforce',
    'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm',
    { AUTH_JWT_ISSUER: 'https://acme.my.salesforce.com', AUTH_JWT_AUDIENCE: '3MVG9client', UID_MODE: 'hash' },
    [
      valid(
        'an address as the subject',
        tokenOf(
          rsa,
          {},
          {
            iss: 'https://acme.my.salesforce.com',
            aud: '3MVG9client',
            sub: 'https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P',
            ...LIVES
          }
        ),
        'hash of https://acme.my.salesforce.com and https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P'
      )
    ]
  ),
  issuerOf(
    'Ory Kratos, tokenised session',
    'https://www.ory.com/docs/identities/session-to-jwt-cors',
    { AUTH_JWT_ISSUER: 'https://acme.projects.oryapis.com', AUTH_JWT_AUDIENCE: 'unchecked', AUTH_JWT_CLAIMS: 'sid' },
    [
      valid(
        'a session',
        tokenOf(ec, JWT, {
          iss: 'https://acme.projects.oryapis.com',
          jti: 'j',
          nbf: LIVES.iat,
          sid: 's',
          sub: 'f1a2b3c4-0000-4000-8000-000000000003',
          ...LIVES
        }),
        'f1a2b3c4-0000-4000-8000-000000000003'
      )
    ]
  )
]

const XML = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier'

const OWN: readonly LookAlike[] = [
  appWith(
    'ASP.NET Core',
    'https://learn.microsoft.com/en-us/dotnet/api/system.security.claims.claimtypes.nameidentifier',
    { AUTH_JWT_ISSUER: 'acme-api', AUTH_JWT_AUDIENCE: 'acme-app', UID_CLAIM: XML },
    [
      valid(
        'the id under its long name',
        tokenOf(hs, JWT, { [XML]: '42', jti: 'j', iss: 'acme-api', aud: 'acme-app', ...LIVES }),
        '42'
      ),
      nearMiss(
        'another audience',
        tokenOf(hs, JWT, { [XML]: '42', iss: 'acme-api', aud: 'other', ...LIVES }),
        'token-audience'
      )
    ]
  ),
  appWith(
    'devise-jwt',
    'https://github.com/waiting-for-dev/devise-jwt',
    { AUTH_JWT_CLAIMS: 'scp=user', UID_ISSUER: 'my-app' },
    [
      valid(
        'with an audience of null',
        tokenOf(hs, {}, { sub: '42', scp: 'user', aud: null, jti: 'j', ...LIVES }),
        '42'
      ),
      nearMiss(
        'an administrator, who is another model',
        tokenOf(hs, {}, { sub: '42', scp: 'admin', aud: null, ...LIVES }),
        'token-claim'
      )
    ]
  ),
  appWith(
    'Guardian',
    'https://hexdocs.pm/guardian/Guardian.Token.Jwt.html',
    {
      AUTH_JWT_ISSUER: 'my_app',
      AUTH_JWT_AUDIENCE: 'my_app',
      AUTH_JWT_ALGORITHMS: 'HS512',
      AUTH_JWT_CLAIMS: 'typ=access'
    },
    [
      valid(
        'an access token',
        tokenOf(secretKey('HS512', APP_SECRET), JWT, {
          aud: 'my_app',
          iss: 'my_app',
          sub: '42',
          typ: 'access',
          nbf: LIVES.iat - 1,
          jti: 'j',
          ...LIVES
        }),
        '42'
      ),
      nearMiss(
        'the refresh token',
        tokenOf(secretKey('HS512', APP_SECRET), JWT, {
          aud: 'my_app',
          iss: 'my_app',
          sub: '42',
          typ: 'refresh',
          ...LIVES
        }),
        'token-claim'
      )
    ]
  ),
  appWith(
    'Flask-JWT-Extended',
    'https://flask-jwt-extended.readthedocs.io/en/stable/',
    { AUTH_JWT_CLAIMS: 'type=access', UID_ISSUER: 'my-app' },
    [
      valid(
        'an access token',
        tokenOf(hs, JWT, { fresh: false, jti: 'j', type: 'access', sub: '42', nbf: LIVES.iat, csrf: 'c', ...LIVES }),
        '42'
      ),
      nearMiss(
        'the refresh token',
        tokenOf(hs, JWT, { fresh: false, jti: 'j', type: 'refresh', sub: '42', nbf: LIVES.iat, ...LIVES }),
        'token-claim'
      )
    ]
  ),
  appWith(
    'FastAPI Users',
    'https://fastapi-users.github.io/fastapi-users/latest/configuration/authentication/strategies/jwt',
    { AUTH_JWT_AUDIENCE: 'fastapi-users:auth', UID_ISSUER: 'my-app' },
    [
      valid(
        'a session',
        tokenOf(hs, JWT, { sub: 'f1a2b3c4-0000-4000-8000-000000000004', aud: ['fastapi-users:auth'], exp: LIVES.exp }),
        'f1a2b3c4-0000-4000-8000-000000000004'
      ),
      nearMiss(
        'a link for a new password',
        tokenOf(hs, JWT, { sub: 'f1a2b3c4-0000-4000-8000-000000000004', aud: 'fastapi-users:reset', exp: LIVES.exp }),
        'token-audience'
      ),
      nearMiss(
        'a link that verifies an address',
        tokenOf(hs, JWT, { sub: 'f1a2b3c4-0000-4000-8000-000000000004', aud: 'fastapi-users:verify', exp: LIVES.exp }),
        'token-audience'
      )
    ]
  ),
  appWith(
    'Directus',
    'https://directus.io/docs/guides/auth/tokens-cookies',
    { AUTH_JWT_ISSUER: 'directus', AUTH_JWT_CLAIMS: 'role,id', UID_CLAIM: 'id' },
    [
      valid(
        'a user',
        tokenOf(hs, JWT, {
          id: 'f1a2b3c4-0000-4000-8000-000000000005',
          role: 'r',
          app_access: true,
          admin_access: false,
          iss: 'directus',
          ...LIVES
        }),
        'f1a2b3c4-0000-4000-8000-000000000005'
      ),
      nearMiss(
        'a link for a new password',
        tokenOf(hs, JWT, { email: 'a@example.com', scope: 'password-reset', hash: 'h', iss: 'directus', ...LIVES }),
        'token-claim'
      )
    ]
  ),
  appWith(
    'Auth.js with a token of the app',
    'https://authjs.dev/reference/core/jwt',
    { AUTH_JWT_CLAIMS: 'use=replies', UID_ISSUER: 'my-app' },
    [
      valid(
        'a number as its id',
        tokenOf(hs, {}, { sub: 42, name: 'Ada', picture: null, use: 'replies', ...LIVES }),
        '42'
      ),
      nearMiss(
        'the session of Auth.js, which is encrypted',
        `${Buffer.from('{"alg":"dir","enc":"A256CBC-HS512","kid":"x"}').toString('base64url')}..AA.AA.AA`,
        'token-encrypted'
      )
    ]
  ),
  appWith(
    'Hasura',
    'https://hasura.io/docs/2.0/auth/authentication/jwt/',
    { AUTH_JWT_CLAIMS: '!purpose', UID_CLAIM: 'https://hasura.io/jwt/claims.x-hasura-user-id', UID_ISSUER: 'my-app' },
    [
      valid(
        'the id below a name with dots',
        tokenOf(hs, JWT, {
          'https://hasura.io/jwt/claims': { 'x-hasura-user-id': '42', 'x-hasura-default-role': 'user' },
          ...LIVES
        }),
        '42'
      ),
      nearMiss(
        'without it',
        tokenOf(hs, JWT, { 'https://hasura.io/jwt/claims': { 'x-hasura-default-role': 'anonymous' }, ...LIVES }),
        'uid-missing',
        403
      )
    ]
  ),
  {
    provider: 'PropelAuth, by its PEM',
    sources: ['https://docs.propelauth.com/reference/api/getting-started'],
    settings: {
      AUTH_JWT_ISSUER: 'https://auth.acme.test',
      AUTH_JWT_KEY_FILE: '/run/keys/verifier',
      AUTH_JWT_CLAIMS: 'user_id',
      UID_CLAIM: 'user_id'
    },
    files: { '/run/keys/verifier': rsa.pem },
    pages: {},
    tokens: [
      valid(
        'a member of organisations',
        tokenOf(rsa, JWT, {
          sub: 'f1a2b3c4-0000-4000-8000-000000000006',
          user_id: 'f1a2b3c4-0000-4000-8000-000000000006',
          email: 'a@example.com',
          org_id_to_org_member_info: {},
          iss: 'https://auth.acme.test',
          ...LIVES
        }),
        'f1a2b3c4-0000-4000-8000-000000000006'
      ),
      nearMiss(
        'another environment',
        tokenOf(rsa, JWT, { user_id: 'x', iss: 'https://auth.other.test', ...LIVES }),
        'token-issuer'
      )
    ]
  }
]

export const STRANGERS: readonly LookAlike[] = [...HOSTED, ...OWN]
