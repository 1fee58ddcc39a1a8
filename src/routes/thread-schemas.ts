import { Type } from '@sinclair/typebox'
import { OneOf, StrictObject } from '../http/guard/strict-schemas.ts'
import { Message } from './message-schemas.ts'
import { ReplyCreated, ReplyParams } from './replies-schemas.ts'

export const MAX_LIMIT = 100
export const DEFAULT_LIMIT = 30
const HOW_MANY = `How many replies: 1 to ${MAX_LIMIT}, by default ${DEFAULT_LIMIT}.`

/** What a query may hold: text, whose meaning the route checks, so that a refusal says what is allowed. */
export const ListQuery = StrictObject({
  limit: Type.Optional(Type.String({ description: HOW_MANY, maxLength: 20 })),
  cursor: Type.Optional(Type.String({ description: '`older` or `newer` of another page.', maxLength: 400 }))
})

/** The same as callers write it. */
export const WrittenListQuery = StrictObject({
  limit: Type.Optional(Type.Integer({ description: HOW_MANY, minimum: 1, maximum: MAX_LIMIT })),
  cursor: ListQuery.properties.cursor
})

export const RepliesListed = Type.Object(
  {
    data: Type.Array(Message, {
      description: 'Oldest first. One that was deleted has `deletedAt` and `deletedBy`, and no content.'
    }),
    page: Type.Object(
      {
        older: Type.Optional(Type.String({ description: 'The cursor of older replies; absent at the beginning.' })),
        newer: Type.Optional(Type.String({ description: 'The cursor of replies that come later.' }))
      },
      { title: 'PageOfReplies', description: 'Cursors of the pages beside this one.' }
    )
  },
  { title: 'RepliesListed', description: 'A page of the thread; without a cursor the newest.' }
)

export const ThreadShown = Type.Object(
  { data: Message },
  { title: 'ThreadShown', description: 'The message that the thread hangs on; `replyCount` is always there.' }
)

export const KeyParams = StrictObject({
  parentId: ReplyParams.properties.parentId,
  key: Type.String({ description: 'The Idempotency-Key without its quotes, percent-encoded where a path needs that.' })
})

export const ReplyKnown = Type.Object(
  {
    delivery: OneOf(['sent', 'not-sent', 'unknown'], { description: 'What is known of the reply.' }),
    data: Type.Optional(Message),
    receivers: ReplyCreated.properties.receivers,
    failed: ReplyCreated.properties.failed,
    retryAfterMs: Type.Optional(Type.Integer({ description: 'When there may be more to know, in milliseconds.' }))
  },
  {
    title: 'ReplyKnown',
    description: 'What became of the reply, with the answer that its sender got where it was sent. Nothing was sent.'
  }
)
