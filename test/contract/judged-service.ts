// The service with everything that callers can meet switched on, and Prism in front of it.
import type { Test } from 'tap'
import { startLogin } from '../helpers/login.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET } from '../helpers/tokens.ts'
import { readDocument } from '../openapi/files.ts'
import { startJudge } from './prism.ts'

export const PER_MINUTE = 60

/** A route that is none, described wrongly: so that it is seen that Prism judges. */
const WRONG = {
  description: 'Nothing.',
  content: { 'application/problem+json': { schema: { type: 'object', required: ['age'] } } }
}

export async function startJudged(t: Test) {
  const world = await startLogin(t, {
    AUTH_JWT_ISSUER: ISSUER,
    AUTH_JWT_AUDIENCE: AUDIENCE,
    AUTH_JWT_SECRET: SHARED_SECRET,
    AUTH_EXPLAIN_SCOPE: 'replies:explain',
    COMETCHAT_TOKENS: 'on',
    COMETCHAT_APP_ID: '2748663902141719',
    COMETCHAT_REGION: 'eu',
    LIMIT_MODE: undefined,
    LIMIT_USER_PER_MINUTE: String(PER_MINUTE),
    OPENAPI: 'on'
  })
  const document = readDocument()
  const nothing = { get: { responses: { 404: WRONG } }, delete: { responses: { 200: WRONG } } }
  const text = JSON.stringify({ ...document, paths: { ...document.paths, '/nothing': nothing } })
  return { ...world, document, prism: await startJudge(t, text, world.origin) }
}
