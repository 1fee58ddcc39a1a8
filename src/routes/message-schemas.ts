// CometChat's message, as callers get it. This service passes it on as it came, so all that is certain of one is its id; the
// other members are what CometChat documents and was seen to write (docs/cometchat-facts.md §3.1).
import { Type } from '@sinclair/typebox'
import { OpenObject } from '../http/guard/strict-schemas.ts'

const FreeObject = (description: string) => Type.Record(Type.String(), Type.Unknown(), { description })
const Text = (description: string) => Type.Optional(Type.String({ description }))
const Seconds = (description: string) =>
  Type.Optional(Type.Integer({ description: `${description}, in Unix seconds.` }))
/** A text, but for a few places where CometChat was seen to write a number. */
const Id = (description: string) => Type.Union([Type.String(), Type.Integer()], { description })

const SentAttachment = OpenObject(
  {
    url: Text('Where it is; signed, and good for a limited time where CometChat keeps the file.'),
    name: Text('The name of the file.'),
    mimeType: Text('Its media type.'),
    extension: Text('The end of its name.'),
    size: Type.Optional(Type.Union([Type.Integer(), Type.String()], { description: 'In bytes.' }))
  },
  { title: 'SentAttachment', description: 'A file of a message that was sent.' }
)

const Moderation = OpenObject(
  {
    status: Type.Optional(
      Type.String({ description: '`pending` until the verdict, then `approved` or `disapproved`; others may come.' })
    )
  },
  { title: 'Moderation', description: 'What moderation says of a message; absent where it was not moderated.' }
)

const SentData = OpenObject(
  {
    text: Text('What was written; of media the caption.'),
    attachments: Type.Optional(Type.Array(SentAttachment, { description: 'The files of a media message.' })),
    url: Text('The address of the one file of a media message.'),
    customData: Type.Optional(FreeObject('What a custom message carries.')),
    interactiveData: Type.Optional(FreeObject('What an interactive message shows.')),
    card: Type.Optional(FreeObject('What a card message shows.')),
    fallbackText: Text('What stands in for a card.'),
    metadata: Type.Optional(
      FreeObject(
        "The sender's own, and below `@injected` what CometChat's extensions wrote; without the mark of this service."
      )
    ),
    mentions: Type.Optional(FreeObject('The users that the text mentions, by their UIDs.')),
    entities: Type.Optional(
      FreeObject('`sender` and `receiver` as CometChat shows them: `{entity, entityType}` each.')
    ),
    reactions: Type.Optional(Type.Array(Type.Unknown(), { description: 'How users reacted.' })),
    moderation: Type.Optional(Moderation)
  },
  { title: 'SentData', description: 'The content of a message; absent where it was deleted.' }
)

export const Message = OpenObject(
  {
    id: Id('The id, in decimal digits: keep it as text, it may exceed 2^53.'),
    conversationId: Text('Opaque: whose conversation it is in.'),
    sender: Text("The UID of who sent it; of one's own reply always one's own."),
    receiver: Text('The UID or the GUID of the conversation, as its sender sees it.'),
    receiverType: Text('`user` or `group`.'),
    category: Text("`message`, `custom`, `interactive`, `card`, or one of CometChat's own, such as `action`."),
    type: Text("`text`, `image`, `file`, `audio`, `video`, or a name of the app's own."),
    data: Type.Optional(SentData),
    parentId: Type.Optional(Id('The message that it replies to; in an answer to a reply always that of the path.')),
    sentAt: Seconds('When it was sent'),
    updatedAt: Seconds('When it was changed last'),
    editedAt: Seconds('When it was edited'),
    editedBy: Text('The UID of who edited it.'),
    deletedAt: Seconds('When it was deleted: a message with it has no `data`'),
    deletedBy: Text('The UID of who deleted it.'),
    deliveredAt: Seconds('When it was delivered'),
    readAt: Seconds('When it was read'),
    replyCount: Type.Optional(Type.Integer({ description: 'How many replies hang on it.' })),
    muid: Text('The name that its sender gave it.'),
    tags: Type.Optional(Type.Array(Type.String(), { description: 'The tags that its sender gave it.' })),
    quotedMessageId: Type.Optional(Id('The message that it quotes.'))
  },
  {
    title: 'Message',
    description:
      "CometChat's message, as it came: `id` is always there, and members that are not named here may be there, too. With `Prefer: return=minimal` it is the `id` alone."
  }
)
