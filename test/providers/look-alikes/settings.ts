// Settings that more than one test gives a service.

export const homeMadeSettings = {
  AUTH_JWT_SECRET_FILE: '/run/secrets/jwt-secret',
  AUTH_JWT_CLAIMS: '!purpose',
  UID_CLAIM: 'id',
  UID_ISSUER: 'my-app'
}

/** Better Auth has no discovery document, and its ids are made at random. */
export function betterAuthSettings(baseUrl: string): Readonly<Record<string, string>> {
  return {
    AUTH_JWT_ISSUER: baseUrl,
    AUTH_JWT_AUDIENCE: baseUrl,
    AUTH_JWT_JWKS_URL: `${baseUrl}/api/auth/jwks`,
    UID_MODE: 'lower'
  }
}
