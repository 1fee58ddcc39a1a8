// What a phone asks the demo's server for, under `/phones/NAME/`.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import type { CometChatEmulator } from '../../emulator/handles.ts'
import type { Phone } from '../world/people.ts'
import { sendJson } from './answers.ts'
import type { Breaks } from './breaks.ts'
import { passStraight, passToService } from './calls.ts'
import type { Ledger, Told } from './ledger.ts'
import type { Live } from './live.ts'
import type { Received } from './received.ts'
import type { SignIns } from './sign-ins.ts'
import type { FindFile } from './static-files.ts'
import type { Story } from './story.ts'

export interface RouteParts {
  readonly origin: string
  readonly serviceUrl: string
  readonly emulator: CometChatEmulator
  readonly story: Story
  readonly received: Received
  readonly secrets: Readonly<Record<string, string>>
  readonly signIns: SignIns
  readonly ledger: Ledger
  readonly breaks: Breaks
  readonly live: Live
  /** Tells this start of the demo from an earlier one, whose replies a browser may still keep. */
  readonly run: string
  readonly findFile: FindFile
}

export interface Asked {
  readonly url: URL
  /** The id that its cookie has; empty without one. */
  readonly browser: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

type OfPhone = (asked: Asked, phone: Phone) => void | Promise<void>

export function createPhoneRoutes(parts: RouteParts) {
  const { signIns, ledger, live, story, emulator, serviceUrl, run } = parts
  const api = `api/${run}`

  const actions: Readonly<Record<string, OfPhone>> = {
    async 'POST token'({ browser, response }, phone) {
      const token = await signIns.token(browser, phone)
      sendJson(response, token === undefined ? 401 : 200, token === undefined ? {} : { token })
    },
    'GET who'({ browser, response }, phone) {
      sendJson(response, 200, { user: signIns.user(browser, phone) ?? null })
    },
    'POST sign-out'({ browser, response }, phone) {
      signIns.signOut(browser, phone)
      sendJson(response, 200, {})
    },
    'POST straight': ({ request, response }, phone) =>
      passStraight({ story, phone, incoming: request, outgoing: response }, emulator.url, emulator.apiKey),
    /** Somebody pressed Send. */
    async 'POST pressed'({ request, response }) {
      const { id, way } = (await json(request)) as { id: string; way?: string }
      ledger.press(id, way === 'straight' ? 'straight' : 'service')
      live.tellOverview()
      sendJson(response, 200, {})
    },
    /** The phone says what became of it. */
    async 'POST told'({ request, response }) {
      const { id, told } = (await json(request)) as { id: string; told: Told }
      ledger.tell(id, told)
      live.tellOverview()
      sendJson(response, 200, {})
    }
  }

  return async (asked: Asked, phone: Phone, path: string): Promise<void> => {
    const { url, request, response } = asked
    if (path.startsWith(`${api}/`)) {
      const call = { story, phone, incoming: request, outgoing: response }
      return passToService(call, serviceUrl, path.slice(api.length) + url.search)
    }
    const action = actions[`${request.method} ${path}`]
    if (action) await action(asked, phone)
    else sendJson(response, 404, {})
  }
}
