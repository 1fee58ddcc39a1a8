// The client in a real browser, in bad weather: tabs with tokens and tabs with a session that are reloaded and sign in
// somebody else while replies of the one before wait, a network that loses requests and answers, a service that is
// killed. The ledger of the local CometChat says what was posted.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { createCometChatEmulator } from '../../../emulator/cometchat-emulator.ts'
import { createRandom } from '../../../emulator/random.ts'
import { loginEnv } from '../../helpers/login.ts'
import { type OpenIdProvider, startOpenIdProvider } from '../../helpers/openid-provider.ts'
import { AUDIENCE, SHARED_SECRET, tokenFor } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'
import { Instance } from '../../storm/instance.ts'
import { type Front, startFront } from './front.ts'

export interface ClientStormOptions {
  readonly replies: number
  readonly seed: number
  readonly onProgress?: (line: string) => void
  /** As long nothing may change before what is not settled is counted as it is. */
  readonly restSeconds?: number
}

export interface ClientStormFacts {
  readonly replies: number
  /** Of them: how many were written where the cookie of the service's login says who it is. */
  readonly bySession: number
  readonly posts: number
  readonly doubled: number
  /** Sent by a tab and kept by it, and not posted in the end. */
  readonly lost: number
  readonly underAnotherName: number
  /** Told as sent with another message, or as anything else although posted. */
  readonly toldWrongly: readonly string[]
  readonly reloads: number
  readonly signIns: number
  readonly kills: number
}

interface ShownReply {
  readonly text: string
  readonly is: string
  readonly id?: string
  readonly because?: string
  readonly code?: string
}

const ACCOUNTS = ['bob', 'alice'] as const
const TABS = 2
const BATCH = 8
/** After each batch, in turn. */
const WEATHER = ['', 'reloads', 'signIns', '', 'kills', 'reloads', '', 'signIns', '', 'reloads'] as const
const MOST_PAUSE_MS = 500
const FAULT_RATE = 0.15
const QUIET_MS = 1000
/** Long enough that a slow machine is no fault of its own: each call that takes longer is searched for in its thread. */
const DEADLINE_MS = 3000
const LOGIN_MS = 60_000

/** Pages of one origin, which keep their replies in one place, and one way to sign in there. */
interface Site {
  readonly front: Front
  readonly tabs: readonly Page[]
  readonly isSession: boolean
  /** In one tab; the others hear of it as tabs do, or do not. */
  signIn(tab: Page, name: string): Promise<void>
  /** Who signed in last. */
  account: string
}

export async function runClientStorm(options: ClientStormOptions): Promise<ClientStormFacts> {
  const ends: (() => unknown)[] = []
  try {
    return await storm(options, ends)
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

async function begin(seed: number, random: () => number, ends: (() => unknown)[]) {
  const emulator = createCometChatEmulator({ seed })
  const { url } = await emulator.start()
  ends.push(() => emulator.stop())
  for (const uid of [...ACCOUNTS, 'host']) emulator.addUser({ uid })
  emulator.addGroup({ guid: 'team', members: [...ACCOUNTS, 'host'] })
  const threads = [1, 2, 3].map(
    () => emulator.addMessage({ sender: 'host', receiver: 'team', receiverType: 'group', text: 'Hi' }).id
  )
  const directory = mkdtempSync(join(tmpdir(), 'client-storm-'))
  ends.push(() => rmSync(directory, { recursive: true, force: true }))

  // The provider of the login must know the address of the page, and the service that of the provider.
  let running: Instance | undefined
  let issuer = ''
  const tokenOf = (name: string): Promise<string> => tokenFor(name, { claims: { iss: issuer } })
  const fronts = await Promise.all([1, 2].map(() => startFront({ service: () => running?.url, random, tokenOf })))
  ends.push(() => {
    for (const front of fronts) front.close()
  })
  const [bearerFront, sessionFront] = fronts as [Front, Front]
  const provider = await startOpenIdProvider({ teardown: end => void ends.push(end) }, sessionFront.url)
  issuer = provider.issuer
  const service = new Instance('service', {
    ...loginEnv(provider, sessionFront.url),
    // Whoever signs in is the same person by cookie and by token.
    AUTH_JWT_ISSUER: issuer,
    AUTH_JWT_AUDIENCE: AUDIENCE,
    AUTH_JWT_SECRET: SHARED_SECRET,
    COMETCHAT_BASE_URL: url,
    COMETCHAT_API_KEY: emulator.apiKey,
    STORE_URL: `file:${join(directory, 'records.db')}`,
    STORE_SECRET: 'a-secret-of-the-storm-of-clients-of-40-bytes',
    REPLY_DEADLINE_MS: `${DEADLINE_MS}`,
    QUIET_PERIOD_MS: `${QUIET_MS}`
  })
  running = service
  ends.push(() => service.end())
  await service.start()
  const browser = await openBrowser(directory)
  ends.push(() => browser.close())
  const sites = [
    await openSite(browser, bearerFront, '/', threads, signInByToken),
    await openSite(browser, sessionFront, '/?session', threads, (tab, name) =>
      signInBySession({ browser, provider, front: sessionFront, threads }, tab, name)
    )
  ]
  return { emulator, threads, service, sites }
}

type Stage = Awaited<ReturnType<typeof begin>>

const BLOWS = {
  reloads: ({ threads }: Stage, _: Site, tab: Page) => reload(tab, threads),
  signIns: (_: Stage, site: Site, tab: Page) => signIn(site, tab, ACCOUNTS.find(name => name !== site.account) ?? ''),
  kills: async ({ service }: Stage) => void service.killAndRestart()
} as const

/** Where each reply was sent, and who was signed in there. */
interface Origin {
  readonly site: Site
  readonly owner: string
}

async function blow(replies: number, random: () => number, stage: Stage, onProgress: ClientStormOptions['onProgress']) {
  const { emulator, sites, threads } = stage
  const origins = new Map<string, Origin>()
  const weather = { reloads: 0, signIns: 0, kills: 0 }
  for (const { front } of sites) front.faultRate = FAULT_RATE
  for (let begun = 0; begun < replies; begun += BATCH) {
    // Of the two sign-ins in the weather each has one.
    const site = sites[(begun / BATCH) % sites.length] as Site
    const tab = oneOf(site.tabs, random)
    const texts = Array.from({ length: BATCH }, (_, index) => `reply ${begun + index}`)
    const as = await tab.evaluate(
      ([thread, texts]) => (globalThis as unknown as { tab: Tab }).tab.send(thread, texts),
      [oneOf(threads, random), texts] as const
    )
    for (const [index, text] of texts.entries()) origins.set(text, { site, owner: as[index] ?? site.account })
    const what = WEATHER[(begun / BATCH) % WEATHER.length] ?? ''
    if (what !== '') {
      weather[what]++
      await BLOWS[what](stage, site, tab)
    }
    await new Promise(resolve => setTimeout(resolve, random() * MOST_PAUSE_MS))
    onProgress?.(`${origins.size} replies, ${emulator.ledger.length} posts, ${JSON.stringify(weather)}`)
  }
  return { origins, ...weather }
}

function oneOf<T>(all: readonly T[], random: () => number): T {
  return all[Math.floor(random() * all.length)] as T
}

async function storm({ replies, seed, onProgress, restSeconds = 60 }: ClientStormOptions, ends: (() => unknown)[]) {
  const random = createRandom(seed)
  const stage = await begin(seed, random, ends)
  const { emulator, sites } = stage
  const { origins, ...weather } = await blow(replies, random, stage, onProgress)
  for (const { front } of sites) front.faultRate = 0

  const toldWrongly: string[] = []
  for (const account of ACCOUNTS) {
    for (const site of sites) {
      const isTheirs = ([, origin]: [string, Origin]): boolean => origin.site === site && origin.owner === account
      const texts = [...origins].filter(isTheirs).map(([text]) => text)
      await signIn(site, oneOf(site.tabs, random), account)
      for (const tab of site.tabs) await tab.evaluate(() => (globalThis as unknown as { tab: Tab }).tab.signedIn())
      const shown = await settled(site.tabs, texts, restSeconds)
      onProgress?.(`${account}: ${shown.length} shown, ${emulator.ledger.length} posts`)
      toldWrongly.push(...shown.flatMap(reply => lieOf(reply, emulator.ledger)))
    }
  }
  return { ...scoreOf(origins, emulator.ledger), ...weather, toldWrongly }
}

type Ledger = ReturnType<typeof createCometChatEmulator>['ledger']

function lieOf({ text, is, id, code }: ShownReply, ledger: Ledger): string[] {
  const posted = ledger.find(({ message }) => message.data['text'] === text)
  if (is === 'sent' && String(posted?.id) === id) return []
  return [`${text}: told as ${is} ${id ?? code ?? ''}, and it is ${posted?.id ?? 'not posted'}`]
}

function scoreOf(origins: ReadonlyMap<string, Origin>, ledger: Ledger) {
  const posts = new Map<string, string[]>()
  for (const { message, onBehalfOf } of ledger) {
    const text = String(message.data['text'])
    posts.set(text, [...(posts.get(text) ?? []), String(onBehalfOf)])
  }
  const all = [...origins]
  return {
    replies: origins.size,
    bySession: all.filter(([, { site }]) => site.isSession).length,
    posts: ledger.length,
    doubled: [...posts.values()].filter(names => names.length > 1).length,
    lost: all.filter(([text]) => !posts.has(text)).length,
    underAnotherName: all.filter(([text, { owner }]) => posts.get(text)?.some(name => name !== owner)).length
  }
}

async function openBrowser(directory: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(join(directory, 'profile'), {
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    timeout: 60_000
  })
}

async function openSite(
  browser: BrowserContext,
  front: Front,
  path: string,
  threads: readonly string[],
  signInThere: Site['signIn']
): Promise<Site> {
  const tabs = await Promise.all(Array.from({ length: TABS }, () => openTab(browser, front.url + path, threads)))
  const site: Site = { front, tabs, isSession: path.includes('session'), signIn: signInThere, account: '' }
  await signIn(
    site,
    oneOf(tabs, () => 0),
    'alice'
  )
  return site
}

async function openTab(browser: BrowserContext, url: string, threads: readonly string[]): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(url)
  await ready(page, threads)
  return page
}

async function signIn(site: Site, tab: Page, name: string): Promise<void> {
  site.account = name
  await site.signIn(tab, name)
}

async function signInByToken(tab: Page, name: string): Promise<void> {
  await tab.evaluate(name => (globalThis as unknown as { tab: Tab }).tab.signIn(name), name)
}

interface SessionSite {
  readonly browser: BrowserContext
  readonly provider: OpenIdProvider
  readonly front: Front
  readonly threads: readonly string[]
}

/** By the login of the service, in this tab: the cookie of the others is somebody else's from then on. */
async function signInBySession({ browser, provider, front, threads }: SessionSite, tab: Page, name: string) {
  provider.user = name
  // The provider would remember who it was.
  await browser.clearCookies({ domain: '127.0.0.1' })
  async function tryOnce(): Promise<void> {
    await tab.goto(`${front.url}/auth/login?return_to=${encodeURIComponent('/?session')}`)
    await tab.waitForURL(`${front.url}/?session`, { timeout: 5000 })
    await ready(tab, threads)
  }
  // Where the service was killed meanwhile a person tries again.
  await until(
    () => tryOnce().catch((error: unknown) => error),
    error => error === undefined,
    LOGIN_MS
  )
}

async function reload(page: Page, threads: readonly string[]): Promise<void> {
  await page.reload()
  await ready(page, threads)
}

async function ready(page: Page, threads: readonly string[]): Promise<void> {
  await page.waitForFunction('window.isReady')
  await page.evaluate(ids => (globalThis as unknown as { tab: Tab }).tab.watch(ids), threads)
}

/** What every tab shows once nothing is under way any more; a person answers what they are asked. */
async function settled(
  tabs: readonly Page[],
  texts: readonly string[],
  restSeconds: number
): Promise<readonly ShownReply[]> {
  let before = ''
  let overAtMs = Number.POSITIVE_INFINITY
  for (;;) {
    for (const tab of tabs)
      await tab.evaluate(texts => (globalThis as unknown as { tab: Tab }).tab.decide(texts), texts)
    const all = await Promise.all(
      tabs.map(tab => tab.evaluate(() => (globalThis as unknown as { tab: Tab }).tab.state() as ShownReply[]))
    )
    // What has no owner is shown to everybody.
    const shown = all.map(replies => replies.filter(({ text }) => texts.includes(text)))
    const isCalm = shown.every(replies => replies.every(({ is }) => is === 'sent' || is === 'failed'))
    // Before a tab knows who is signed in it shows none.
    const isWhole = shown.every(replies => replies.length === texts.length)
    const states = JSON.stringify(shown)
    if (states !== before) overAtMs = performance.now() + restSeconds * 1000
    before = states
    if ((isCalm && isWhole) || performance.now() > overAtMs) return shown.flat()
    // Its end moves with each change, which that of `until` does not; and forty looks a second at all tabs would take the
    // processor from the replies that they wait for.
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

interface Tab {
  signedIn(): void
  watch(threadIds: readonly string[]): void
  signIn(name: string): void
  send(threadId: string, texts: readonly string[]): Promise<readonly (string | undefined)[]>
  decide(texts: readonly string[]): void
  state(): unknown
}
