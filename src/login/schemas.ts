import { type Static, Type } from '@sinclair/typebox'

export const LoggedOut = Type.Object(
  {
    continueAt: Type.String({ description: "Where the browser goes on: the provider's own sign-out, or `return_to`." })
  },
  { title: 'LoggedOut', description: 'The session has ended.' }
)
export type LoggedOut = Static<typeof LoggedOut>

export const LoggedIn = Type.Object(
  {
    sub: Type.String({ description: '`sub` of the ID token.' }),
    uid: Type.String({ description: 'As whom CometChat sees them.' }),
    name: Type.Optional(Type.String({ description: 'As the provider has it.' })),
    picture: Type.Optional(Type.String({ description: 'An address, as the provider has it.' }))
  },
  { title: 'LoggedIn', description: 'Who signed in.' }
)
export type LoggedIn = Static<typeof LoggedIn>

const ReturnTo = Type.Optional(Type.String({ description: 'A path of this origin to go on at; `/` when left out.' }))

export const LoginQuery = Type.Object({ return_to: ReturnTo })
export const CallbackQuery = Type.Object({
  code: Type.Optional(Type.String({ description: 'What the provider gave for the sign-in.' })),
  state: Type.Optional(Type.String({ description: 'Which sign-in it is.' })),
  iss: Type.Optional(Type.String({ description: 'Which provider it is (RFC 9207).' })),
  error: Type.Optional(Type.String({ description: 'Why there is no code.' }))
})
export const LoggedOutQuery = Type.Object({
  state: Type.Optional(Type.String({ description: 'The path to go on at, as it was given.' }))
})
export const LogoutToken = Type.Object(
  { logout_token: Type.String({ description: 'A JWT that the provider signed.' }) },
  { title: 'LogoutToken', description: 'Whose sessions have ended (OpenID Connect Back-Channel Logout 1.0 §2.5).' }
)
