// What callers may send, told apart by kind of message, where the service itself tells a schema (replies-schemas.ts) from the
// rules between members (reply-rules.ts): a generator of types, or an editor, sees both here.
import { type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { WRITTEN_BY_COMETCHAT } from '../../http/guard/reserved-members.ts'
import { OneOf, OpenObject, StrictObject } from '../../http/guard/strict-schemas.ts'
import { Attachment, ReplyBody, ReplyData, ReplyEdit } from '../replies-schemas.ts'
import { ADDED_CHARACTERS, MAX_MESSAGE_CHARACTERS } from '../reply-rules.ts'

/** What is left for a text that needs no escape in JSON, where the body holds nothing else. */
export const MAX_TEXT_CHARACTERS = MAX_MESSAGE_CHARACTERS - ADDED_CHARACTERS - '{"data":{"text":""}}'.length

const NONE = Type.Optional(Type.Not(Type.Unknown(), { description: 'Not here.' }))
const HttpsUrl = Type.String({
  maxLength: 8192,
  pattern: '^https://\\S+$',
  description: wordsOf(ReplyData.properties.url)
})
const Files = Type.Array(
  OpenObject({ ...Attachment.properties, url: HttpsUrl }, { title: 'Attachment', description: wordsOf(Attachment) }),
  { minItems: 1, maxItems: 25, description: wordsOf(ReplyData.properties.attachments) }
)
const UrlBesideFiles = Type.Optional(
  Type.String({ maxLength: 8192, pattern: '^(https://\\S+)?$', description: 'May be empty beside attachments.' })
)
const WrittenText = Type.String({
  minLength: 1,
  maxLength: MAX_TEXT_CHARACTERS,
  description: wordsOf(ReplyData.properties.text)
})

const { attachments, url, customData, text, ...common } = ReplyData.properties
const { interactiveData, card, fallbackText } = common
const { category, type, data, ...beside } = ReplyBody.properties

const CommonData = OpenObject(
  { ...common, ...Object.fromEntries([...WRITTEN_BY_COMETCHAT].map(name => [name, NONE])) },
  {
    title: 'CommonData',
    description: 'What any content may have. Further members are forwarded, but for those that CometChat writes itself.'
  }
)
const WITHOUT_FILES = { attachments: NONE, url: NONE, customData: NONE }

const TextData = content('TextData', 'What a text says.', { text: WrittenText, ...WITHOUT_FILES })
const FilesData = content('FilesData', 'Files.', {
  attachments: Files,
  text,
  url: UrlBesideFiles,
  customData: NONE
})
const FileData = content('FileData', 'A file by its address.', { ...WITHOUT_FILES, url: HttpsUrl, text })
const CustomData = content('CustomData', 'What the app makes of it.', {
  ...WITHOUT_FILES,
  customData: required(customData),
  text
})
const InteractiveData = content('InteractiveData', 'A form or the like.', {
  interactiveData: required(interactiveData),
  text,
  ...WITHOUT_FILES
})
const CardData = content('CardData', 'A card.', { card: required(card), text, ...WITHOUT_FILES })
const CardTextData = content('CardTextData', 'What stands in for a card.', {
  fallbackText: required(fallbackText),
  text,
  ...WITHOUT_FILES
})

const OfMessages = Type.Optional(OneOf(['message'], { description: '`message` when left out.' }))
const AnyType = Type.Optional(
  Type.String({ minLength: 1, maxLength: 100, description: 'Any name; `text` when left out.' })
)
const only = (name: string) => OneOf([name], { description: 'Has to be said.' })

const KINDS = [
  reply('TextReply', 'A text.', {
    category: OfMessages,
    type: Type.Optional(OneOf(['text'], { description: '`text` when left out.' })),
    data: TextData
  }),
  reply('MediaReply', 'Files that were uploaded before.', {
    category: OfMessages,
    type: OneOf(['image', 'file', 'audio', 'video'], { description: 'What the files are.' }),
    data: Type.Union([FilesData, FileData], { description: 'The files, or the address of one.' })
  }),
  reply('CustomReply', 'Whatever an app makes of it.', { category: only('custom'), type: AnyType, data: CustomData }),
  reply('InteractiveReply', 'Where `COMETCHAT_CATEGORIES` names `interactive`.', {
    category: only('interactive'),
    type: AnyType,
    data: InteractiveData
  }),
  reply('CardReply', 'Where `COMETCHAT_CATEGORIES` names `card`.', {
    category: only('card'),
    type: AnyType,
    data: Type.Union([CardData, CardTextData], { description: 'The card, or the text that stands in for it.' })
  })
]

export const ReplyInput = Type.Unsafe({
  title: 'ReplyInput',
  description:
    `CometChat's own body for a threaded message, without identity: at most ${MAX_MESSAGE_CHARACTERS} characters of JSON. ` +
    'What an input has left is `max - added - [...JSON.stringify(body)].length`, with the numbers of `x-message-characters`: ' +
    `${MAX_MESSAGE_CHARACTERS} and ${ADDED_CHARACTERS}.`,
  'x-message-characters': { max: MAX_MESSAGE_CHARACTERS, added: ADDED_CHARACTERS },
  oneOf: KINDS
})

const EditData = Type.Unsafe({
  title: 'EditData',
  description: 'What is given replaces, `metadata` member by member; the rest stays.',
  allOf: [
    CommonData,
    OpenObject({ text: Type.Optional(WrittenText), attachments: Type.Optional(Files), url: UrlBesideFiles, customData })
  ],
  // An empty url has attachments beside it.
  not: { type: 'object', properties: { url: { const: '' }, attachments: false }, required: ['url'] }
})
const SomeData = { type: 'object', minProperties: 1, additionalProperties: true }

export const EditInput = Type.Unsafe({
  title: 'EditInput',
  description: 'What is new of a reply: `data`, `tags` or both.',
  anyOf: [
    StrictObject(
      {
        data: Type.Unsafe({ allOf: [EditData, SomeData], description: 'What is new.' }),
        tags: ReplyEdit.properties.tags
      },
      { title: 'ContentEdit', description: 'Other content, and other tags where they are given.' }
    ),
    StrictObject(
      { data: Type.Optional(EditData), tags: required(ReplyEdit.properties.tags) },
      { title: 'TagsEdit', description: 'Other tags, and other content where it is given.' }
    )
  ]
})

/** The content of one kind of message. */
function content(title: string, description: string, members: TProperties): TSchema {
  return Type.Unsafe({ title, description, allOf: [CommonData, OpenObject(members)] })
}

function reply(title: string, description: string, members: TProperties): TSchema {
  return {
    ...StrictObject({ ...members, ...beside }, { title, description }),
    dependentRequired: { receiver: ['receiverType'], receiverType: ['receiver'] }
  }
}

function required<T extends TSchema>(schema: T): TSchema {
  return Type.Optional(schema, false)
}

function wordsOf({ description = '' }: TSchema): string {
  return description
}
