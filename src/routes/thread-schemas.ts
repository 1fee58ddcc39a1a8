import { Type } from '@sinclair/typebox'
import { OneOf, StrictObject } from '../http/guard/strict-schemas.ts'
import { ReplyParams } from './replies-schemas.ts'

/** What a query may hold: text, whose meaning the route checks, so that a refusal says what is allowed. */
export const ListQuery = StrictObject({
  limit: Type.Optional(Type.String({ description: 'How many replies: 1 to 100, by default 30.', maxLength: 20 })),
  cursor: Type.Optional(Type.String({ description: 'older or newer of another page.', maxLength: 400 }))
})

/** Answered as JSON text, in which members that this service does not know are kept. */
export const RepliesListed = Type.Unsafe<string>(
  Type.Object(
    {
      data: Type.Array(Type.Unknown(), {
        description: 'Messages, oldest first. One that was deleted has deletedAt and deletedBy, and no content.'
      }),
      page: Type.Object({
        older: Type.Optional(Type.String({ description: 'The cursor of older replies; absent at the beginning.' })),
        newer: Type.Optional(Type.String({ description: 'The cursor of replies that came later.' }))
      })
    },
    { description: 'A page of the thread; without a cursor the newest.' }
  )
)

export const ThreadShown = Type.Unsafe<string>(
  Type.Object(
    { data: Type.Unknown({ description: 'The Message that the thread hangs on; replyCount is always there.' }) },
    { description: 'The thread.' }
  )
)

export const KeyParams = StrictObject({
  parentId: ReplyParams.properties.parentId,
  key: Type.String({ description: 'The Idempotency-Key without its quotes, percent-encoded where a path needs that.' })
})

export const ReplyKnown = Type.Unsafe<string>(
  Type.Object(
    {
      delivery: OneOf(['sent', 'not-sent', 'unknown']),
      data: Type.Optional(Type.Unknown({ description: 'The Message, where the reply was sent.' })),
      retryAfterMs: Type.Optional(Type.Integer({ description: 'When there may be more to know.' }))
    },
    { description: 'What is known of the reply; nothing was sent.' }
  )
)
