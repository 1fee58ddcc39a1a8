// What the page may ask the demo's server for.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isPhone, NAMES, OPENING, THREAD } from '../world/people.ts'
import { isForeign, redirect, SAFETY_HEADERS, sendFile, sendJson } from './answers.ts'
import { type Asked, createPhoneRoutes, type RouteParts } from './phone-routes.ts'
import { fingerprint } from './redact.ts'

type Handle = (asked: Asked) => void | Promise<void>

const COOKIE = 'demo_browser'

export function createRoutes(parts: RouteParts) {
  const { origin, signIns, live, breaks, received, secrets, serviceUrl, run, findFile } = parts
  const ofPhone = createPhoneRoutes(parts)

  const pages: Readonly<Record<string, Handle>> = {
    async 'GET /'({ browser, response }) {
      if (signIns.knows(browser)) return sendFile(findFile, response, '/page/index.html')
      const id = signIns.newBrowser()
      response.setHeader('set-cookie', `${COOKIE}=${id}; HttpOnly; SameSite=Lax; Path=/`)
      redirect(response, await signIns.beginBoth(id))
    },
    'GET /signed-in': async ({ url, browser, response }) => redirect(response, await signIns.finish(browser, url)),
    'GET /events': ({ response }) => live.follow(response),
    /** Looks for a text, or for a secret by its name, in whatever a browser was sent. */
    'GET /received'({ url, response }) {
      const name = url.searchParams.get('secret')
      const text = name === null ? url.searchParams.get('text') : new Map(Object.entries(secrets)).get(name)
      if (text) sendJson(response, 200, { ...received.find(text), ...(name && { fingerprint: fingerprint(text) }) })
      else sendJson(response, 404, {})
    },
    'GET /facts'({ response }) {
      const names = Object.keys(secrets)
      sendJson(response, 200, { run, thread: THREAD, opening: OPENING, names: NAMES, serviceUrl, secrets: names })
    },
    'GET /favicon.ico': ({ response }) => sendFile(findFile, response, '/page/icon.svg')
  }

  /** By the first part of the path; the second one is a name. */
  const rooms: Readonly<Record<string, (asked: Asked, name: string, rest: string) => void | Promise<void>>> = {
    async 'GET sign-in'({ url, browser, response }, name) {
      const isQuick = url.searchParams.get('quick') === 'yes'
      if (isPhone(name)) redirect(response, await signIns.begin(browser, name, '/', isQuick))
      else sendJson(response, 404, {})
    },
    'GET phone': ({ response }, name) => sendFile(findFile, response, isPhone(name) ? '/page/phone.html' : '/'),
    async 'POST break'({ response }, name) {
      await breaks.press(name)
      live.tellOverview()
      sendJson(response, 200, {})
    }
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', origin)
    for (const [name, value] of Object.entries(SAFETY_HEADERS)) response.setHeader(name, value)
    if (isForeign(request, url, origin)) return sendJson(response, 403, {})
    const asked = { url, browser: cookieOf(request), request, response }
    const [, room = '', name = '', ...rest] = url.pathname.split('/')
    if (room === 'phones' && isPhone(name)) return ofPhone(asked, name, rest.join('/'))
    const page = pages[`${request.method} ${url.pathname}`]
    if (page) return page(asked)
    const found = rooms[`${request.method} ${room}`]
    return found ? found(asked, name, rest.join('/')) : sendFile(findFile, response, url.pathname)
  }
}

function cookieOf({ headers }: IncomingMessage): string {
  return new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(headers.cookie ?? '')?.[1] ?? ''
}
