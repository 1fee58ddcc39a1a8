import type { Violation } from '../errors.ts'
import type { ReplyBody } from './replies-schemas.ts'

type Data = ReplyBody['data']

const MEDIA_TYPES: ReadonlySet<string> = new Set(['image', 'file', 'audio', 'video'])
const MAX_MENTIONED_USERS = 10
/** CometChat's limit for a whole message (docs: Properties and Constraints). */
const MAX_MESSAGE_CHARACTERS = 65_536
/** JSON.stringify makes no character longer than six, and no number longer than five times what was sent. */
const MAX_GROWTH = 6
const MENTION = /<@uid:([^>\s]{1,100})>/g

/** What a JSON schema cannot say: which members belong together. */
export function ruleViolations(body: ReplyBody, multipleReceiversMax: number): Violation[] {
  const found: Violation[] = []
  const refuse = (pointer: string, code: string, detail: string): void => void found.push({ pointer, code, detail })

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
    refuse('/multipleReceivers', 'too-long', `At most ${multipleReceiversMax} receivers are allowed.`)
  }
  if (body.category === 'custom') checkCustom(body.data, refuse)
  else checkMessage(body.type, body.data, refuse)
  if (mentionedUsers(body.data.text) > MAX_MENTIONED_USERS) {
    refuse('/data/text', 'too-long', `At most ${MAX_MENTIONED_USERS} users can be mentioned.`)
  }
  return found
}

/** The whole message counts, in characters, however it was spelled on the wire. */
export function lengthViolations(body: ReplyBody, wireBytes: number): Violation[] {
  if (wireBytes * MAX_GROWTH <= MAX_MESSAGE_CHARACTERS) return []
  const text = JSON.stringify(body)
  if (text.length <= MAX_MESSAGE_CHARACTERS || [...text].length <= MAX_MESSAGE_CHARACTERS) return []
  return [{ pointer: '', code: 'too-long', detail: `A message has at most ${MAX_MESSAGE_CHARACTERS} characters.` }]
}

type Refuse = (pointer: string, code: string, detail: string) => void

function checkCustom(data: Data, refuse: Refuse): void {
  if (!data.customData) refuse('/data/customData', 'missing', 'A custom message needs customData.')
  refuseMembers(data, ['attachments', 'url'], 'It belongs to image, file, audio and video messages.', refuse)
}

function checkMessage(type: string, data: Data, refuse: Refuse): void {
  refuseMembers(data, ['customData'], 'It belongs to category custom.', refuse)
  if (type === 'text') {
    if (data.text === undefined) refuse('/data/text', 'missing', 'A text message needs text.')
    if (data.text === '') refuse('/data/text', 'too-short', 'The text is empty.')
    refuseMembers(data, ['attachments', 'url'], 'It belongs to image, file, audio and video messages.', refuse)
  } else if (!MEDIA_TYPES.has(type)) {
    refuse('/type', 'not-allowed', 'It must be text, image, file, audio or video, or category must be custom.')
  } else {
    if (!data.attachments && data.url === undefined) {
      refuse('/data/attachments', 'missing', 'A media message needs attachments or a url.')
    }
    checkUrls(data, refuse)
  }
}

function checkUrls(data: Data, refuse: Refuse): void {
  if (data.url !== undefined && !URL.canParse(data.url)) refuse('/data/url', 'wrong-format', 'It must be an https URL.')
  for (const [index, { url }] of (data.attachments ?? []).entries()) {
    if (!URL.canParse(url)) refuse(`/data/attachments/${index}/url`, 'wrong-format', 'It must be an https URL.')
  }
}

function refuseMembers(data: Data, names: readonly (keyof Data)[], detail: string, refuse: Refuse): void {
  for (const name of names) if (data[name] !== undefined) refuse(`/data/${name}`, 'not-allowed', detail)
}

/** CometChat's mention syntax is `<@uid:UID>` (docs: Send Message). */
function mentionedUsers(text: string | undefined): number {
  if (!text?.includes('<@uid:')) return 0
  return new Set(Array.from(text.matchAll(MENTION), match => match[1])).size
}
