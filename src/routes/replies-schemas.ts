import { type Static, Type } from '@sinclair/typebox'
import { OneOf, OpenObject, StrictObject } from '../http/guard/strict-schemas.ts'
import { Message } from './message-schemas.ts'

/** Also the end of the sentence that a refusal is told in, as every description of a pattern or of a union here. */
const MESSAGE_ID = 'a message id: 1 to 19 digits that do not begin with 0'
const BYTES = 'a whole number of bytes'
const MessageId = Type.String({ pattern: '^[1-9][0-9]{0,18}$', description: MESSAGE_ID })
const Receiver = Type.String({ minLength: 1, maxLength: 100 })

const NonEmptyObject = (description: string) =>
  Type.Optional(Type.Record(Type.String(), Type.Unknown(), { minProperties: 1, description }))
const FreeObject = (description: string) => Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description }))
const Receivers = (description: string) => Type.Optional(Type.Array(Receiver, { maxItems: 1000, description }))

/** Long enough for what storage signs; what is wrong with an address is told by reply-rules.ts. */
const Url = Type.String({
  maxLength: 8192,
  description: 'Where the file is: an https URL, uploaded before, without blanks.'
})
/** A media type with parameters, also as Chrome writes them (`video/webm;codecs=vp8,opus`), or none. */
const MediaType = Type.String({
  pattern: '^([\\w.+-]+/[\\w.+-]+(;[ -~]*)?)?$',
  maxLength: 255,
  description: 'a media type, such as image/png, or empty'
})

/** The path: CometChat's decimal message id, kept as text because it may exceed 2^53. */
export const ReplyParams = StrictObject({ parentId: MessageId })

/** A reply in its thread. */
export const ReplyOfThread = StrictObject({ parentId: MessageId, replyId: MessageId })

/** Members that CometChat adds one day, such as `duration`, are forwarded like those of today. */
export const Attachment = OpenObject(
  {
    url: Url,
    name: Type.String({ minLength: 1, maxLength: 255, description: 'The name of the file.' }),
    mimeType: Type.Optional(MediaType),
    extension: Type.Optional(Type.String({ maxLength: 32, description: 'The end of its name, such as `png`.' })),
    /** CometChat's document says text, its examples show numbers. */
    size: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^[0-9]{1,15}$', description: BYTES })], {
        description: BYTES
      })
    )
  },
  { title: 'Attachment', description: 'A file of a media message. Further members are forwarded.' }
)

export const ReplyData = OpenObject({
  text: Type.Optional(
    Type.String({ description: 'What is written; of media the caption. `<@uid:UID>` mentions up to 10 users.' })
  ),
  attachments: Type.Optional(
    Type.Array(Attachment, { minItems: 1, maxItems: 25, description: 'The files of a media message.' })
  ),
  url: Type.Optional(Url),
  customData: NonEmptyObject('What a custom message carries.'),
  interactiveData: NonEmptyObject('What an interactive message shows.'),
  interactionGoal: FreeObject('When an interactive message is done.'),
  card: NonEmptyObject('What a card message shows.'),
  fallbackText: Type.Optional(Type.String({ description: 'What stands in for a card.' })),
  mentions: FreeObject('Up to 10 users by their UIDs; CometChat fills it in from the text.'),
  updateConversation: Type.Optional(
    Type.Boolean({ description: 'Whether it becomes the last message of the conversation.' })
  ),
  sendNotification: Type.Optional(Type.Boolean({ description: 'Whether its receivers are notified.' })),
  metadata: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      maxProperties: 64,
      description: 'Whatever the app keeps with a message; `@injected` and the mark of this service are refused.'
    })
  )
})

const Tags = Type.Optional(
  Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 25, description: 'Words to find it by.' })
)

/** What an edit gives (docs: Edit Message); what it does not give stays. */
export const ReplyEdit = StrictObject({ data: Type.Optional(ReplyData), tags: Tags })
export type ReplyEdit = Static<typeof ReplyEdit>

/** CometChat's own body for a threaded message (docs: Send Threaded Message), without identity. */
export const ReplyBody = StrictObject({
  receiver: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'The UID or the GUID of the conversation; with `receiverType`, or found from the parent message.'
    })
  ),
  receiverType: Type.Optional(OneOf(['user', 'group'], { description: 'With `receiver`, or neither.' })),
  category: OneOf(['message', 'custom', 'interactive', 'card'], { default: 'message' }),
  type: Type.String({ minLength: 1, maxLength: 100, default: 'text' }),
  data: ReplyData,
  multipleReceivers: Type.Optional(
    StrictObject(
      { uids: Receivers('UIDs of users.'), guids: Receivers('GUIDs of groups.') },
      {
        minProperties: 1,
        title: 'MultipleReceivers',
        description: 'Whom it is sent to beside the conversation: up to `MULTIPLE_RECEIVERS_MAX`, by default 25.'
      }
    )
  ),
  tags: Tags,
  /** How a UI Kit recognises its own bubble; no identity. */
  muid: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'A name that the app gives its own bubble; no identity.' })
  ),
  quotedMessageId: Type.Optional(
    Type.Union([Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), MessageId], { description: MESSAGE_ID })
  )
})
export type ReplyBody = Static<typeof ReplyBody>

/**
 * What Fastify knows of an answer that is JSON text already: it is passed on as it is. What is in it is described for callers
 * alone, so that no start compiles it.
 */
export const JsonText = Type.Unsafe<string>({})

const ReachedReceiver = Type.Object(
  {
    receiver: Type.String({ description: 'A UID or a GUID.' }),
    receiverType: OneOf(['user', 'group'], { description: 'Which of them.' }),
    data: Message
  },
  { title: 'ReachedReceiver', description: 'One of several receivers whom a reply was sent to.' }
)
const RefusedReceiver = Type.Object(
  {
    receiver: Type.String({ description: 'A UID or a GUID.' }),
    code: Type.String({ description: "CometChat's code, or that of a problem: docs/problems.md has both." })
  },
  { title: 'RefusedReceiver', description: 'One of several receivers who was refused.' }
)

export const ReplyCreated = Type.Object(
  {
    data: Message,
    receivers: Type.Optional(
      Type.Array(ReachedReceiver, { description: 'With several receivers: those whom it was sent to.' })
    ),
    failed: Type.Optional(
      Type.Array(RefusedReceiver, { description: 'With several receivers: those who were refused.' })
    )
  },
  { title: 'ReplyCreated', description: 'The reply is posted; with several receivers `data` is that of the first.' }
)

export const ReplyShown = Type.Object(
  { data: Message },
  { title: 'ReplyShown', description: 'The reply as it is now; of a deleted one what is left of it.' }
)
