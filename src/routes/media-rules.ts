import type { Violation } from '../errors.ts'
import type { ReplyBody } from './replies-schemas.ts'

type Data = ReplyBody['data']

/** What is wrong with the addresses of a media message; the SDK writes an empty `url` beside attachments. */
export function mediaViolations(data: Data): Violation[] {
  const found: Violation[] = []
  const check = (pointer: string, url: string): void => {
    const detail = wrongWith(url)
    if (detail !== undefined) found.push({ pointer, code: 'wrong-format', detail })
  }
  if (!data.attachments && data.url === undefined) {
    found.push({
      pointer: '/data/attachments',
      code: 'missing',
      detail: 'A media message needs attachments or a url.'
    })
  }
  if (data.url !== undefined && !isEmptyBesideAttachments(data)) check('/data/url', data.url)
  for (const [index, { url }] of (data.attachments ?? []).entries()) check(`/data/attachments/${index}/url`, url)
  return found
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
