import type { Violation, ViolationCode } from '../lib/refusals/violations.ts'
import type { ReplyBody, ReplyEdit } from './replies-schemas.ts'

type Data = ReplyBody['data']

const MEDIA_TYPES: ReadonlySet<string> = new Set(['image', 'file', 'audio', 'video'])
const MAX_MENTIONED_USERS = 10
/** CometChat's limit for a whole message (docs: Properties and Constraints). */
export const MAX_MESSAGE_CHARACTERS = 65_536
/** More than this service adds to a message: its receiver and its mark. */
export const ADDED_CHARACTERS = 400
/** JSON.stringify makes no character longer than six, and no number longer than five times what was sent. */
const MAX_GROWTH = 6
const MENTION = /<@uid:([^>\s]{1,100})>/g

/** What this service was told to take. */
export interface ReplyLimits {
  readonly multipleReceiversMax: number
  /** The categories that are switched on. */
  readonly categories: readonly string[]
}

/** What a JSON schema cannot say: which members belong together. */
export function ruleViolations(body: ReplyBody, { multipleReceiversMax, categories }: ReplyLimits): Violation[] {
  const found: Violation[] = []
  const refuse: Refuse = (pointer, code, detail) => void found.push({ pointer, code, detail })

  if (body.receiver === undefined && body.receiverType !== undefined) {
    refuse('/receiver', 'missing', 'receiver and receiverType come together or not at all.')
  }
  if (body.receiver !== undefined && body.receiverType === undefined) {
    refuse('/receiverType', 'missing', 'receiver and receiverType come together or not at all.')
  }
  const { uids = [], guids = [] } = body.multipleReceivers ?? {}
  if (body.multipleReceivers && multipleReceiversMax === 0) {
    refuse('/multipleReceivers', 'not-allowed', 'Several receivers are switched off.')
  } else if (uids.length + guids.length > multipleReceiversMax) {
    found.push(tooMany('/multipleReceivers', 'receivers', multipleReceiversMax, uids.length + guids.length))
  }
  if (categories.includes(body.category)) found.push(...contentViolations(body))
  else refuse('/category', 'not-allowed', `It must be one of those switched on here: ${categories.join(', ')}.`)
  return [...found, ...mentionViolations(body.data)]
}

/** The same of an edit. */
export function editViolations({ data, tags }: ReplyEdit): Violation[] {
  const found: Violation[] = []
  const refuse: Refuse = (pointer, code, detail) => void found.push({ pointer, code, detail })
  const isEmpty = data === undefined || Object.keys(data).length === 0
  if (isEmpty && tags === undefined)
    refuse(data ? '/data' : '', 'too-few', 'Nothing is to be changed: give data or tags.')
  if (!data) return found
  if (data.text === '') found.push(EMPTY_TEXT)
  checkUrls(data, refuse)
  return [...found, ...mentionViolations(data)]
}

/** The whole message counts, in characters, however it was spelled on the wire. */
export function lengthViolations(body: ReplyBody | ReplyEdit, wireBytes: number): Violation[] {
  if (wireBytes * MAX_GROWTH <= MAX_MESSAGE_CHARACTERS) return []
  const text = JSON.stringify(body)
  if (text.length <= MAX_MESSAGE_CHARACTERS) return []
  const actual = [...text].length
  return actual > MAX_MESSAGE_CHARACTERS ? [tooLongMessage(actual)] : []
}

const EMPTY_TEXT: Violation = {
  pointer: '/data/text',
  code: 'too-short',
  detail: 'The text is empty.',
  limit: 1,
  actual: 0
}

/** A message whose JSON has so many characters. */
function tooLongMessage(actual: number): Violation {
  const detail = `A message has at most ${MAX_MESSAGE_CHARACTERS} characters, as JSON.`
  return { pointer: '', code: 'too-long', detail, limit: MAX_MESSAGE_CHARACTERS, actual }
}

function mentionViolations({ text, mentions = {} }: Data): Violation[] {
  const inText = mentionedUsers(text)
  const listed = Object.keys(mentions).length
  return [
    ...(inText > MAX_MENTIONED_USERS ? [tooMany('/data/text', 'mentioned users', MAX_MENTIONED_USERS, inText)] : []),
    ...(listed > MAX_MENTIONED_USERS ? [tooMany('/data/mentions', 'mentioned users', MAX_MENTIONED_USERS, listed)] : [])
  ]
}

function tooMany(pointer: string, of: string, limit: number, actual: number): Violation {
  return { pointer, code: 'too-many', detail: `At most ${limit} ${of} are allowed.`, limit, actual }
}

type Refuse = (pointer: string, code: ViolationCode, detail: string) => void

function contentViolations({ category, type, data }: ReplyBody): Violation[] {
  const found: Violation[] = []
  const refuse: Refuse = (pointer, code, detail) => void found.push({ pointer, code, detail })
  if (category === 'message') return [...checkMessage(type, data, refuse), ...found]
  if (category === 'custom') {
    if (!data.customData) refuse('/data/customData', 'missing', 'A custom message needs customData.')
  } else {
    refuseMembers(data, ['customData'], 'It belongs to category custom.', refuse)
  }
  if (category === 'interactive' && !data.interactiveData) {
    refuse('/data/interactiveData', 'missing', 'An interactive message needs interactiveData.')
  }
  if (category === 'card' && !data.card && data.fallbackText === undefined) {
    refuse('/data/card', 'missing', 'A card message needs a card or a fallbackText.')
  }
  refuseMembers(data, ['attachments', 'url'], 'It belongs to image, file, audio and video messages.', refuse)
  return found
}

function checkMessage(type: string, data: Data, refuse: Refuse): Violation[] {
  refuseMembers(data, ['customData'], 'It belongs to category custom.', refuse)
  if (type === 'text') {
    if (data.text === undefined) refuse('/data/text', 'missing', 'A text message needs text.')
    refuseMembers(data, ['attachments', 'url'], 'It belongs to image, file, audio and video messages.', refuse)
    return data.text === '' ? [EMPTY_TEXT] : []
  }
  if (MEDIA_TYPES.has(type)) return mediaViolations(data)
  refuse('/type', 'not-allowed', 'It must be text, image, file, audio or video, or category must be custom.')
  return []
}

function refuseMembers(data: Data, names: readonly (keyof Data)[], detail: string, refuse: Refuse): void {
  for (const name of names) if (data[name] !== undefined) refuse(`/data/${name}`, 'not-allowed', detail)
}

/** CometChat's mention syntax is `<@uid:UID>` (docs: Send Message). */
function mentionedUsers(text: string | undefined): number {
  if (!text?.includes('<@uid:')) return 0
  return new Set(Array.from(text.matchAll(MENTION), match => match[1])).size
}

/** What is wrong with the addresses of a media message; the SDK writes an empty `url` beside attachments. */
function mediaViolations(data: Data): Violation[] {
  const found: Violation[] = []
  if (!data.attachments && data.url === undefined) {
    found.push({
      pointer: '/data/attachments',
      code: 'missing',
      detail: 'A media message needs attachments or a url.'
    })
  }
  checkUrls(data, (pointer, code, detail) => void found.push({ pointer, code, detail }))
  return found
}

function checkUrls(data: Data, refuse: Refuse): void {
  const check = (pointer: string, url: string): void => {
    const detail = wrongWith(url)
    if (detail !== undefined) refuse(pointer, 'wrong-format', detail)
  }
  if (data.url !== undefined && !isEmptyBesideAttachments(data)) check('/data/url', data.url)
  for (const [index, { url }] of (data.attachments ?? []).entries()) check(`/data/attachments/${index}/url`, url)
}

/** The message without the empty `url` that the SDK writes beside attachments: the one member that is left out. */
export function withoutEmptyUrl(body: ReplyBody): ReplyBody {
  if (!isEmptyBesideAttachments(body.data)) return body
  const { url, ...data } = body.data
  return { ...body, data }
}

function isEmptyBesideAttachments({ url, attachments }: Data): boolean {
  return url === '' && attachments !== undefined
}

function wrongWith(url: string): string | undefined {
  if (url === '') return 'It is empty.'
  if (/\s/.test(url)) return 'It holds a blank; write %20.'
  if (/^http:/i.test(url)) return 'It must be an https URL, not http.'
  return /^https:\/\/./.test(url) && URL.canParse(url) ? undefined : 'It must be an https URL.'
}
