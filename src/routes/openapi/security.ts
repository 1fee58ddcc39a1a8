import { SESSION_COOKIE } from '../../lib/service/cookie-names.ts'

export const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A token of the issuer; also in `AUTH_JWT_HEADER` or `AUTH_JWT_COOKIE`, where they are set.'
  },
  appSession: {
    type: 'apiKey',
    in: 'cookie',
    name: 'connect.sid',
    description: "The session of the app's own backend; `AUTH_SESSION_COOKIE` says its name. It needs proof of origin."
  },
  login: {
    type: 'apiKey',
    in: 'cookie',
    name: SESSION_COOKIE,
    description: 'The session of `/auth/login`. It needs proof of origin.'
  }
}

/** One of these for whoever an operation is for. */
export const SECURITY = {
  caller: [{ bearer: [] }, { appSession: [] }, { login: [] }],
  login: [{ login: [] }],
  none: []
}
