// What the demo says, as text. `main.ts` decides when, and where it goes.
import { styleText } from 'node:util'
import type { ReceivedRequest } from '../../emulator/types.ts'
import { takenNote } from '../ports.ts'
import { fingerprint } from '../server/redact.ts'
import type { OpenIdProvider } from '../world/openid-provider.ts'
import type { Parts } from '../world/parts.ts'
import type { ReplyAnswer, ReplyRequest } from './first-reply.ts'

export type Look = 'bold' | 'dim' | 'green' | 'cyan'
export type Paint = (look: Look, text: string) => string

const TOKEN_SHOWN_CHARACTERS = 16
/** Of the answer's headers, those that this service is about. */
const SHOWN_ANSWER_HEADERS = ['content-type', 'x-request-id', 'idempotent-replayed', 'ratelimit', 'ratelimit-policy']

/** Colours for a person at a terminal who has not asked for none (no-color.org). */
export function paintFor(output: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  const hasColours = output.isTTY === true && !env['NO_COLOR']
  return (look, text) => (hasColours ? styleText(look, text, { validateStream: false }) : text)
}

/** Where to look, first of all; then what else there is, and how it ends. */
export function showAddresses({ page, url, adminUrl, provider, emulator, ports }: Parts, paint: Paint): string {
  const note = (listener: keyof typeof ports) => takenNote(ports[listener])
  return `Open ${paint('bold', page.url)}${note('page')}
  the service  ${url}${note('service')}  (probes: ${adminUrl}/readyz${note('probes')})
  sign-in      ${provider.issuer}${note('sign-in')}  (oidc-provider, for alice and bob)
  CometChat    ${emulator.url}${note('CometChat')}  (local, in memory)
  Ctrl-C ends everything; --verbose shows what travels and a curl, --help what can be set.
`
}

export function showSent({ url, headers, body }: ReplyRequest, paint: Paint): string {
  const shown = Object.entries(headers).map(([name, value]) => headerLine(name, shortenToken(value), paint))
  return section('1. What the client sent', [paint('cyan', `POST ${url}`), ...shown, '', pretty(body)], paint)
}

/** The reply as CometChat got it; the key in it stays hidden. */
export function showReceived(requests: readonly ReceivedRequest[], paint: Paint): string {
  const title = '2. What CometChat received'
  const reply = requests.findLast(({ method }) => method === 'POST')
  if (!reply) return section(title, ['Nothing.'], paint)
  const reads = requests.filter(({ method }) => method === 'GET')
  const before = reads.map(
    ({ path, headers }) => `GET ${path} as ${headers['onbehalfof']}, to learn whose thread it is`
  )
  const headers = pairs(reply.rawHeaders).map(([name, value]) => headerLine(name, hideKey(name, value), paint))
  const head = [...before, ...(before.length > 0 ? [''] : []), paint('cyan', `${reply.method} ${reply.path}`)]
  return section(title, [...head, ...headers, '', pretty(reply.body)], paint)
}

export function showAnswer({ status, headers, body }: ReplyAnswer, paint: Paint): string {
  const shown = SHOWN_ANSWER_HEADERS.flatMap(name => {
    const value = headers.get(name)
    return value === null ? [] : [headerLine(name, value, paint)]
  })
  return section('3. What came back', [paint('cyan', `HTTP ${status}`), ...shown, '', pretty(body)], paint)
}

export function showInvitation(
  request: ReplyRequest,
  { issuer }: Pick<OpenIdProvider, 'issuer'>,
  paint: Paint
): string {
  const hints = [
    'Pasted twice, it is still one reply: the second answer is the first one again.',
    '',
    `A token for somebody else:  curl -s '${issuer}/token?user=bob'`,
    'Threads there are:          100 (bob to alice), 200 (carol to the group of alice, bob and carol)'
  ]
  return [
    section('Now you, in another terminal', [toCurl(request), '', ...hints], paint),
    section('What the service logs (Ctrl-C ends everything)', [], paint)
  ].join('')
}

/** A command for bash: in single quotes nothing is special but the single quote itself. */
function toCurl({ url, headers, body }: ReplyRequest): string {
  const options = Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`)
  return [`curl -i ${url}`, ...options, `-d ${quote(body)}`].join(' \\\n  ')
}

function section(title: string, lines: readonly string[], paint: Paint): string {
  return `\n${paint('bold', title)}\n\n${lines.map(line => `${indent(line)}\n`).join('')}`
}

function hideKey(name: string, value: string): string {
  return name.toLowerCase() === 'apikey' ? `(the secret key; its fingerprint is ${fingerprint(value)})` : value
}

function shortenToken(value: string): string {
  const [, token] = /^Bearer (\S+)$/.exec(value) ?? []
  return token === undefined
    ? value
    : `Bearer ${token.slice(0, TOKEN_SHOWN_CHARACTERS)}... (${token.length} characters)`
}

function headerLine(name: string, value: string, paint: Paint): string {
  return `${paint('dim', `${name}:`)} ${value}`
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, i) => [rawHeaders[2 * i] ?? '', rawHeaders[2 * i + 1] ?? ''])
}

/** JSON over several lines, without the long profiles of both users that CometChat repeats in every answer. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (name, value) => (name === 'entities' ? '...' : value), 2)
  } catch {
    return text
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
