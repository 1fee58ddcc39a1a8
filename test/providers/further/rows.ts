// Further tokens of the providers of the table, in other documented shapes than the look-alikes have, with the same settings.
import { type LookAlike, type LookAlikeToken, nearMiss, valid } from '../look-alike.ts'
import { LOOK_ALIKES } from '../look-alikes/all.ts'
import { EXPIRED, foreignKey, JWT, keyOf, LIVES, secretKey, tokenOf } from '../tokens.ts'

/** A row of the table with other tokens. */
function row(provider: string, sources: readonly string[], tokens: readonly LookAlikeToken[]): LookAlike {
  const found = LOOK_ALIKES.find(alike => alike.provider === provider)
  if (!found) throw new Error(`no row is called ${provider}`)
  return { ...found, sources, tokens }
}

function firebase(): LookAlike {
  const key = keyOf('RS256', '8e8fc8e556f7a76d08d35829d6f90ae2e12cfd0d')
  const user = 'Ab3dEf6hIj9kLm2nOp5qRs8tUv1w'
  const claims = {
    iss: 'https://securetoken.google.com/my-project',
    aud: 'my-project',
    auth_time: LIVES.iat,
    user_id: user,
    sub: user,
    ...LIVES
  }
  const by = (sign_in_provider: string, more: object = {}) => ({
    ...claims,
    firebase: { identities: {}, sign_in_provider, ...more }
  })
  const custom = { ...by('custom'), user_id: 'member_42', sub: 'member_42', premiumAccount: true }
  return row(
    'Firebase Auth',
    [
      'https://firebase.google.com/docs/auth/admin/verify-id-tokens',
      'https://firebase.google.com/docs/auth/admin/create-custom-tokens'
    ],
    [
      valid('signed in by a custom token, with claims of the developer', tokenOf(key, JWT, custom), 'member_42'),
      valid(
        'with a second factor',
        tokenOf(key, JWT, by('oidc.acme', { sign_in_second_factor: 'phone', second_factor_identifier: 'x' })),
        user.toLowerCase()
      ),
      nearMiss(
        'the custom token itself, which a server made',
        tokenOf(key, JWT, {
          iss: 'firebase-adminsdk@my-project.iam.gserviceaccount.com',
          sub: 'firebase-adminsdk@my-project.iam.gserviceaccount.com',
          aud: 'https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit',
          uid: 'member_42',
          ...LIVES
        }),
        'token-issuer'
      ),
      nearMiss(
        'a token of App Check',
        tokenOf(key, JWT, {
          iss: 'https://firebaseappcheck.googleapis.com/1234567890',
          aud: ['projects/1234567890', 'projects/my-project'],
          sub: '1:1234567890:web:abc',
          ...LIVES
        }),
        'token-issuer'
      )
    ]
  )
}

function auth0(): LookAlike {
  const key = keyOf('RS256', 'NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4')
  const issuer = 'https://acme.us.auth0.com/'
  const claims = {
    iss: issuer,
    sub: 'auth0|6553da60a54af58e29493993',
    aud: ['https://replies.example.com', `${issuer}userinfo`],
    azp: 'K1AUPhZq8mRiEXAMPLE',
    scope: 'openid profile offline_access',
    ...LIVES
  }
  return row(
    'Auth0, database users',
    ['https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles'],
    [
      valid(
        'with an organisation and permissions',
        tokenOf(key, JWT, { ...claims, org_id: 'org_9ybsU1dN2dKfDkBi', permissions: ['read:threads'] }),
        '6553da60a54af58e29493993'
      ),
      valid(
        'of a resource owner password grant',
        tokenOf(key, JWT, { ...claims, gty: 'password' }),
        '6553da60a54af58e29493993'
      ),
      nearMiss(
        'of a custom domain',
        tokenOf(key, JWT, { ...claims, iss: 'https://auth.acme.example/' }),
        'token-issuer'
      ),
      nearMiss('without the slash', tokenOf(key, JWT, { ...claims, iss: issuer.slice(0, -1) }), 'token-issuer'),
      nearMiss(
        'passwordless',
        tokenOf(key, JWT, { ...claims, sub: 'email|5f7c8ec7c33c6c004bbafe82' }),
        'uid-form',
        403
      ),
      nearMiss('for userinfo alone', tokenOf(key, JWT, { ...claims, aud: `${issuer}userinfo` }), 'token-audience')
    ]
  )
}

function auth0Connections(): LookAlike {
  const key = keyOf('RS256', 'NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4')
  const claims = {
    iss: 'https://acme.us.auth0.com/',
    aud: ['https://replies.example.com'],
    azp: 'K1AUPhZq8mRiEXAMPLE',
    scope: 'openid replies:write',
    ...LIVES
  }
  const users = ['email|5f7c8ec7c33c6c004bbafe82', 'samlp|acme|Ada@Example.com', 'waad|Yx_1-Zz']
  return row(
    'Auth0, several connections',
    ['https://auth0.com/docs/manage-users/user-accounts/identify-users'],
    [
      ...users.map(sub => valid(sub, tokenOf(key, JWT, { ...claims, sub }), `hash of auth0 and ${sub}`)),
      valid(
        'with the scope among the permissions',
        tokenOf(key, JWT, { ...claims, sub: 'sms|1', scope: 'openid', permissions: ['replies:write'] }),
        'hash of auth0 and sms|1'
      )
    ]
  )
}

function cognito(): LookAlike {
  const key = keyOf('RS256', 'fgjhlkhjlkhexample/g=')
  const sub = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'
  const claims = {
    sub,
    device_key: 'eu-west-1_00000000-1111-2222-3333-444444444444',
    iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
    client_id: '57cbishk4j24pabc1234567890',
    origin_jti: 'a',
    event_id: 'b',
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin',
    auth_time: LIVES.iat,
    jti: 'c',
    username: sub,
    ...LIVES
  }
  return row(
    'Amazon Cognito',
    ['https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html'],
    [
      valid('of the SDK, with a device', tokenOf(key, {}, claims), sub),
      valid(
        'for a resource, with an audience',
        tokenOf(key, {}, { ...claims, aud: 'https://x.example', version: 2 }),
        sub
      ),
      nearMiss(
        'a refresh token',
        `${Buffer.from('{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}').toString('base64url')}.AA.AA.AA.AA`,
        'token-encrypted'
      ),
      nearMiss('too old', tokenOf(key, {}, { ...claims, ...EXPIRED }), 'token-expired')
    ]
  )
}

function supabase(): LookAlike {
  const key = keyOf('ES256', '2d7bd5a6-0b7c-4c2a-8f70-0d9bdf5a21fd')
  const sub = '123e4567-e89b-12d3-a456-426614174000'
  const claims = {
    iss: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1',
    sub,
    aud: 'authenticated',
    role: 'authenticated',
    aal: 'aal2',
    amr: [{ method: 'totp', timestamp: LIVES.iat }],
    session_id: 'abcdef12-1234-1234-1234-123456789abc',
    ...LIVES
  }
  return row(
    'Supabase, signing keys',
    [
      'https://supabase.com/docs/guides/auth/jwt-fields',
      'https://supabase.com/docs/guides/auth/auth-hooks/custom-access-token-hook'
    ],
    [
      valid('of an older version, which does not say `is_anonymous`', tokenOf(key, JWT, claims), sub),
      valid(
        'of single sign-on',
        tokenOf(key, JWT, { ...claims, is_anonymous: false, amr: [{ method: 'sso/saml' }] }),
        sub
      ),
      valid('whose hook makes the audience a list', tokenOf(key, JWT, { ...claims, aud: ['authenticated'] }), sub),
      nearMiss('whose hook takes the audience away', tokenOf(key, JWT, { ...claims, aud: '' }), 'token-audience'),
      nearMiss(
        'of the former secret',
        tokenOf(secretKey('HS256', 'x'.repeat(40), 'xYz'), JWT, claims),
        'token-algorithm'
      )
    ]
  )
}

function clerk(): LookAlike {
  const key = keyOf('RS256', 'ins_2abcDEFghiJKLmnoPQRstuVWXyz')
  const user = 'user_2aBcDeFgHiJkLmNoPqRsTuVwXyZ'
  const claims = {
    azp: 'https://app.example.com',
    exp: LIVES.iat + 60,
    iat: LIVES.iat,
    iss: 'https://clerk.example.com',
    nbf: LIVES.iat - 10,
    sid: 'sess_2aBcDeFgHiJkLmNoPqRsTuVwXyA',
    sub: user
  }
  const template = { ...claims, sid: undefined, jti: '5b0d8c8fce1a4d4ab3f7' }
  return row(
    'Clerk',
    ['https://clerk.com/docs/guides/sessions/session-tokens', 'https://clerk.com/docs/guides/sessions/jwt-templates'],
    [
      valid(
        'version 1, with an organisation',
        tokenOf(key, JWT, { ...claims, org_id: 'org_2x', org_role: 'org:admin', org_permissions: [] }),
        user.toLowerCase()
      ),
      valid(
        'version 2, with features and a plan',
        tokenOf(key, JWT, { ...claims, v: 2, sts: 'active', fva: [0, -1], pla: 'u:free', fea: 'u:chat,o:x' }),
        user.toLowerCase()
      ),
      nearMiss('of a native app, which has no origin', tokenOf(key, JWT, { ...claims, azp: undefined }), 'token-claim'),
      nearMiss('of a template', tokenOf(key, JWT, template), 'token-claim')
    ]
  )
}

function keycloak(): LookAlike {
  const key = keyOf('RS256', 'nnniBrxL0qhG79pkF3ccQj_l0jDmxKrYYy2YLlEe1s')
  const sub = '3d5d5a4c-1111-4b5b-9b5b-0a0b0c0d0e0f'
  const claims = {
    jti: 'onrtro:b3c2a1d0-1111-2222-3333-444455556666',
    iss: 'https://sso.example.com/realms/acme',
    sub,
    typ: 'Bearer',
    azp: 'web-app',
    sid: 'a',
    acr: '1',
    scope: 'openid email profile',
    preferred_username: 'ada',
    realm_access: { roles: ['offline_access'] },
    ...LIVES
  }
  return row(
    'Keycloak',
    ['https://www.keycloak.org/docs/latest/server_admin/#_client_scopes'],
    [
      valid('for `account`', tokenOf(key, JWT, { ...claims, aud: 'account' }), sub),
      valid('for several clients', tokenOf(key, JWT, { ...claims, aud: ['realm-management', 'account'] }), sub),
      valid('of a user without roles, for nobody', tokenOf(key, JWT, claims), sub),
      nearMiss('the ID token', tokenOf(key, JWT, { ...claims, typ: 'ID', aud: 'web-app' }), 'token-claim'),
      nearMiss(
        'an offline token',
        tokenOf(secretKey('HS512', 'x'.repeat(64), 'h'), JWT, { ...claims, typ: 'Offline' }),
        'token-algorithm'
      ),
      nearMiss(
        'of another realm',
        tokenOf(key, JWT, { ...claims, iss: 'https://sso.example.com/realms/master' }),
        'token-issuer'
      ),
      nearMiss(
        'of the command line for administrators',
        tokenOf(key, JWT, { ...claims, azp: 'admin-cli' }),
        'token-claim'
      )
    ]
  )
}

function entra(): LookAlike {
  const key = keyOf('RS256', '1LTMzakihiRla_8z2BEJVXeWMqo')
  const tenant = 'aaaabbbb-0000-cccc-1111-dddd2222eeee'
  const oid = 'bbbbcccc-1111-dddd-2222-eeee3333ffff'
  const claims = {
    aud: '00001111-aaaa-2222-bbbb-3333cccc4444',
    iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
    azp: 'eeee4444-0000-0000-0000-000000000001',
    azpacr: '0',
    oid,
    rh: '0.A',
    scp: 'Replies.Write User.Read',
    sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
    tid: tenant,
    uti: 'u',
    ver: '2.0',
    nbf: LIVES.iat,
    ...LIVES
  }
  return row(
    'Microsoft Entra ID',
    ['https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference'],
    [
      valid(
        'of a user with too many groups',
        tokenOf(key, JWT, {
          ...claims,
          _claim_names: { groups: 'src1' },
          _claim_sources: { src1: { endpoint: 'https://graph' } }
        }),
        oid
      ),
      valid(
        'of a guest, with roles',
        tokenOf(key, JWT, { ...claims, idp: 'https://sts.windows.net/x/', roles: ['Admin'], idtyp: 'user' }),
        oid
      ),
      nearMiss(
        'of version 1',
        tokenOf(key, JWT, { ...claims, iss: `https://sts.windows.net/${tenant}/`, ver: '1.0' }),
        'token-issuer'
      ),
      nearMiss(
        'for the address of the API',
        tokenOf(key, JWT, { ...claims, aud: `api://${claims.aud}` }),
        'token-audience'
      ),
      nearMiss(
        'of an app alone',
        tokenOf(key, JWT, { ...claims, scp: undefined, roles: ['Replies.Write'] }),
        'token-claim'
      )
    ]
  )
}

function apple(): LookAlike {
  const key = keyOf('RS256', 'Sf2lFqwkpX')
  const claims = {
    iss: 'https://appleid.apple.com',
    aud: 'com.acme.app',
    sub: '001234.a1b2c3d4e5f60718293a4b5c6d7e8f90.1234',
    nonce: 'n',
    nonce_supported: true,
    email_verified: 'true',
    is_private_email: 'true',
    real_user_status: 2,
    auth_time: LIVES.iat,
    ...LIVES
  }
  return row(
    'Sign in with Apple',
    ['https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple'],
    [
      valid('with a relayed address', tokenOf(key, {}, claims), `hash of https://appleid.apple.com and ${claims.sub}`),
      nearMiss(
        'the secret of a client, which an app makes',
        tokenOf(
          keyOf('ES256', 'KEYID12345'),
          {},
          { iss: 'TEAMID1234', sub: 'com.acme.app', aud: 'https://appleid.apple.com', ...LIVES }
        ),
        'token-issuer'
      )
    ]
  )
}

function others(): LookAlike[] {
  const workosKey = keyOf('RS256', 'sso_oidc_key_pair_01HBEQKA6K4QJAS93VPE39W1JT')
  const workos = { iss: 'https://api.workos.com/user_management/client_01HBEQ8N1Y5Y1ZD9G2R3T4V5W6', ...LIVES }
  const logtoKey = keyOf('ES384', 'Yk2gKzX0yT7QqQ5x0bq6d9o1kJrV0Qm1f2hCw3n4p5s')
  const logto = {
    jti: 'j',
    sub: 'k5f0p2n8s9qw',
    iss: 'https://acme.logto.app/oidc',
    client_id: 'u3w8v1k0app',
    scope: 'replies:write',
    sid: 's',
    ...LIVES
  }
  const fusionKey = keyOf('RS256', '1aAJ9LBm3P8UoA3rhCh5Vxd8Xi4')
  const fusion = {
    aud: '3c219e58-ed0e-4b18-ad48-f4f92793ae32',
    iss: 'acme.com',
    sub: 'f1a2b3c4-0000-4000-8000-000000000001',
    applicationId: '3c219e58-ed0e-4b18-ad48-f4f92793ae32',
    gty: ['authorization_code'],
    tid: 't',
    roles: [],
    ...LIVES
  }
  return [
    row(
      'WorkOS AuthKit',
      ['https://workos.com/docs/reference/authkit/session-tokens/access-token'],
      [
        valid(
          'with roles and flags',
          tokenOf(
            workosKey,
            {},
            { ...workos, sub: 'user_01HBEQKA6K4QJAS93VPE39W1JT', sid: 's', roles: ['member'], feature_flags: ['beta'] }
          ),
          'user_01hbeqka6k4qjas93vpe39w1jt'
        ),
        nearMiss(
          'a machine',
          tokenOf(workosKey, {}, { ...workos, sub: 'client_01MACHINE', org_id: 'org_1' }),
          'token-claim'
        )
      ]
    ),
    row(
      'Logto',
      [
        'https://docs.logto.io/authorization/validate-access-tokens',
        'https://docs.logto.io/authorization/organization-level-api-resources'
      ],
      [
        valid(
          'of an API in an organisation',
          tokenOf(logtoKey, { typ: 'at+jwt' }, { ...logto, aud: 'https://replies.example.com', organization_id: 'o1' }),
          logto.sub
        ),
        nearMiss(
          'of an organisation alone',
          tokenOf(logtoKey, { typ: 'at+jwt' }, { ...logto, aud: 'urn:logto:organization:o1' }),
          'token-audience'
        ),
        nearMiss(
          'signed by another',
          tokenOf(foreignKey(logtoKey.kid), { typ: 'at+jwt' }, { ...logto, aud: 'https://replies.example.com' }),
          'token-key'
        )
      ]
    ),
    row(
      'FusionAuth',
      ['https://fusionauth.io/docs/lifecycle/authenticate-users/oauth/tokens'],
      [
        valid('of the authorization code grant', tokenOf(fusionKey, JWT, { ...fusion, tty: 'at' }), fusion.sub),
        nearMiss('the ID token', tokenOf(fusionKey, JWT, { ...fusion, tty: 'idt' }), 'token-claim')
      ]
    )
  ]
}

export const FURTHER_OF_ROWS: readonly LookAlike[] = [
  firebase(),
  auth0(),
  auth0Connections(),
  cognito(),
  supabase(),
  clerk(),
  keycloak(),
  entra(),
  apple(),
  ...others()
]
