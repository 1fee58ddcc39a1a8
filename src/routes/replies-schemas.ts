import { type Static, Type } from '@sinclair/typebox'
import { OneOf, OpenObject, StrictObject } from '../http/guard/strict-schemas.ts'

const NonEmptyObject = Type.Record(Type.String(), Type.Unknown(), { minProperties: 1 })
/** Also the end of the sentence that a refusal is told in, as every description of a pattern here. */
const MESSAGE_ID = 'a message id: 1 to 19 digits that do not begin with 0'
const Receiver = Type.String({ minLength: 1, maxLength: 100 })
/** Long enough for what storage signs; what is wrong with an address is told by reply-rules.ts. */
const Url = Type.String({ maxLength: 8192 })
/** A media type with parameters, also as Chrome writes them (`video/webm;codecs=vp8,opus`), or none. */
const MediaType = Type.String({
  pattern: '^([\\w.+-]+/[\\w.+-]+(;[ -~]*)?)?$',
  maxLength: 255,
  description: 'a media type, such as image/png, or empty'
})
const FreeObject = Type.Record(Type.String(), Type.Unknown())

/** The path: CometChat's decimal message id, kept as text because it may exceed 2^53. */
export const ReplyParams = StrictObject({
  parentId: Type.String({ pattern: '^[1-9][0-9]{0,18}$', description: MESSAGE_ID })
})

/** A reply in its thread. */
export const ReplyOfThread = StrictObject({
  parentId: ReplyParams.properties.parentId,
  replyId: ReplyParams.properties.parentId
})

/** Members that CometChat adds one day, such as `duration`, are forwarded like those of today. */
export const Attachment = OpenObject({
  url: Url,
  name: Type.String({ minLength: 1, maxLength: 255 }),
  mimeType: Type.Optional(MediaType),
  extension: Type.Optional(Type.String({ maxLength: 32 })),
  /** Bytes; CometChat's document says text, its examples show numbers. */
  size: Type.Optional(
    Type.Union([
      Type.Integer({ minimum: 0 }),
      Type.String({ pattern: '^[0-9]{1,15}$', description: 'a whole number of bytes' })
    ])
  )
})

export const ReplyData = OpenObject({
  text: Type.Optional(Type.String()),
  attachments: Type.Optional(Type.Array(Attachment, { minItems: 1, maxItems: 25 })),
  url: Type.Optional(Url),
  customData: Type.Optional(NonEmptyObject),
  interactiveData: Type.Optional(NonEmptyObject),
  interactionGoal: Type.Optional(FreeObject),
  card: Type.Optional(NonEmptyObject),
  fallbackText: Type.Optional(Type.String()),
  mentions: Type.Optional(FreeObject),
  updateConversation: Type.Optional(Type.Boolean()),
  sendNotification: Type.Optional(Type.Boolean()),
  metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 64 }))
})

const Tags = Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 25 }))

/** What an edit gives (docs: Edit Message); what it does not give stays. */
export const ReplyEdit = StrictObject({ data: Type.Optional(ReplyData), tags: Tags })
export type ReplyEdit = Static<typeof ReplyEdit>

/** CometChat's own body for a threaded message (docs: Send Threaded Message), without identity. */
export const ReplyBody = StrictObject({
  receiver: Type.Optional(Receiver),
  receiverType: Type.Optional(OneOf(['user', 'group'])),
  category: OneOf(['message', 'custom', 'interactive', 'card'], { default: 'message' }),
  type: Type.String({ minLength: 1, maxLength: 100, default: 'text' }),
  data: ReplyData,
  multipleReceivers: Type.Optional(
    StrictObject(
      {
        uids: Type.Optional(Type.Array(Receiver, { maxItems: 1000 })),
        guids: Type.Optional(Type.Array(Receiver, { maxItems: 1000 }))
      },
      { minProperties: 1 }
    )
  ),
  tags: Tags,
  /** How a UI Kit recognises its own bubble; no identity. */
  muid: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  quotedMessageId: Type.Optional(
    Type.Union([
      Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
      Type.String({ pattern: '^[1-9][0-9]{0,18}$', description: MESSAGE_ID })
    ])
  )
})
export type ReplyBody = Static<typeof ReplyBody>

/** Answered as JSON text: CometChat's message as it came, in which members that this service does not know are kept. */
export const ReplyCreated = Type.Unsafe<string>(
  Type.Object(
    {
      data: Type.Unknown({ description: 'The Message; with several receivers that of the first.' }),
      receivers: Type.Optional(Type.Unknown({ description: '{receiver, receiverType, data} of each of several.' })),
      failed: Type.Optional(Type.Unknown({ description: '{receiver, code} of those of several who were refused.' }))
    },
    { description: 'The reply is posted.' }
  )
)

export const ReplyShown = Type.Unsafe<string>(
  Type.Object(
    { data: Type.Unknown({ description: 'The Message, as it is now.' }) },
    { description: 'The reply is changed.' }
  )
)
