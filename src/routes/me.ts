import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from '@sinclair/typebox'
import type { Caller } from '../auth/caller.ts'
import { CALLER } from '../auth/require-caller.ts'

export const Me = Type.Object(
  {
    uid: Type.String({ description: 'As whom CometChat sees the caller.' }),
    issuer: Type.String({ description: 'Whose user it is; a subject is one person only within its issuer.' }),
    subject: Type.String({ description: 'Which user of the issuer.' }),
    scheme: Type.String({ description: 'How the caller signed in: `bearer`, `app-session` or `login`.' }),
    expiresAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'When the credential ends if it is not renewed; absent where that is not known.'
      })
    ),
    actors: Type.Optional(Type.Array(Type.String(), { description: 'Services that act for them, nearest first.' }))
  },
  { title: 'Me', description: 'Who is calling, and as whom.' }
)
export type Me = Static<typeof Me>

/** `GET /me`: who is calling, and as whom, so that a client knows whose replies it keeps. */
export const meRoute: FastifyPluginAsyncTypebox = async app => {
  app.get('/me', { schema: { response: { 200: Me } }, config: { operation: 'show-identity' } }, async request =>
    meOf(request[CALLER])
  )
}

function meOf({ uid, issuer, subject, scheme, expiresAtMs, actors }: Caller): Me {
  const end = new Date(expiresAtMs ?? Number.NaN)
  return {
    uid,
    issuer,
    subject,
    scheme,
    // There is none for never, nor beyond the year 275760.
    ...(!Number.isNaN(end.getTime()) && { expiresAt: end.toISOString() }),
    ...(actors.length > 0 && { actors: [...actors] })
  }
}
