// The client in a real browser, in bad weather: tabs that are reloaded and sign in somebody else, a network that loses
// requests and answers, a service that is killed. The ledger of the local CometChat says what was posted.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { createCometChatEmulator } from '../../../emulator/cometchat-emulator.ts'
import { createRandom } from '../../../emulator/random.ts'
import { Instance } from '../../storm/instance.ts'
import { startFront } from './front.ts'

export interface ClientStormOptions {
  readonly replies: number
  readonly seed: number
  readonly onProgress?: (line: string) => void
  /** As long nothing may change before what is not settled is counted as it is. */
  readonly restSeconds?: number
}

export interface ClientStormFacts {
  readonly replies: number
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
const DEADLINE_MS = 1000

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
  const service = new Instance('service', {
    COMETCHAT_BASE_URL: url,
    COMETCHAT_API_KEY: emulator.apiKey,
    STORE_URL: `file:${join(directory, 'records.db')}`,
    STORE_SECRET: 'a-secret-of-the-storm-of-clients-of-40-bytes',
    REPLY_DEADLINE_MS: `${DEADLINE_MS}`,
    QUIET_PERIOD_MS: `${QUIET_MS}`
  })
  ends.push(() => service.end())
  await service.start()
  const front = await startFront({ service: () => service.url, random })
  ends.push(() => front.close())
  const browser = await openBrowser(directory)
  ends.push(() => browser.close())
  const tabs = await Promise.all(Array.from({ length: TABS }, () => openTab(browser, front.url, threads)))
  const [first] = tabs
  await signIn(first, 'alice')
  return { emulator, threads, service, front, tabs, first }
}

type Stage = Awaited<ReturnType<typeof begin>>

const BLOWS = {
  reloads: ({ threads }: Stage, tab: Page | undefined) => reload(tab, threads),
  signIns: (_: Stage, tab: Page | undefined, count: number) => signIn(tab, ACCOUNTS[count % ACCOUNTS.length] ?? ''),
  kills: async ({ service }: Stage) => void service.killAndRestart()
} as const

/** Gives who was signed in where each reply was sent. */
async function blow(replies: number, random: () => number, stage: Stage, onProgress: ClientStormOptions['onProgress']) {
  const { emulator, front, tabs, threads } = stage
  const owners = new Map<string, string>()
  const weather = { reloads: 0, signIns: 0, kills: 0 }
  front.faultRate = FAULT_RATE
  for (let begun = 0; begun < replies; begun += BATCH) {
    const tab = tabs[Math.floor(random() * tabs.length)]
    const thread = threads[Math.floor(random() * threads.length)] ?? ''
    const texts = Array.from({ length: BATCH }, (_, index) => `reply ${begun + index}`)
    const as = await tab?.evaluate(
      ([thread, texts]) => (globalThis as unknown as { tab: Tab }).tab.send(thread, texts),
      [thread, texts] as const
    )
    for (const [index, text] of texts.entries()) owners.set(text, as?.[index] ?? '')
    const what = WEATHER[(begun / BATCH) % WEATHER.length] ?? ''
    if (what !== '') await BLOWS[what](stage, tab, ++weather[what])
    await new Promise(resolve => setTimeout(resolve, random() * MOST_PAUSE_MS))
    onProgress?.(`${owners.size} replies, ${emulator.ledger.length} posts, ${JSON.stringify(weather)}`)
  }
  return { owners, ...weather }
}

async function storm({ replies, seed, onProgress, restSeconds = 60 }: ClientStormOptions, ends: (() => unknown)[]) {
  const random = createRandom(seed)
  const stage = await begin(seed, random, ends)
  const { emulator, front, tabs, first } = stage
  const { owners, ...weather } = await blow(replies, random, stage, onProgress)
  front.faultRate = 0

  const toldWrongly: string[] = []
  for (const account of ACCOUNTS) {
    await signIn(first, account)
    const shown = await settled(
      tabs,
      [...owners].flatMap(([text, owner]) => (owner === account ? [text] : [])),
      restSeconds
    )
    onProgress?.(`${account}: ${shown.length} shown, ${emulator.ledger.length} posts`)
    toldWrongly.push(...shown.flatMap(reply => lieOf(reply, emulator.ledger)))
  }
  return { ...scoreOf(owners, emulator.ledger), ...weather, toldWrongly }
}

type Ledger = ReturnType<typeof createCometChatEmulator>['ledger']

function lieOf({ text, is, id, code }: ShownReply, ledger: Ledger): string[] {
  const posted = ledger.find(({ message }) => message.data['text'] === text)
  if (is === 'sent' && String(posted?.id) === id) return []
  return [`${text}: told as ${is} ${id ?? code ?? ''}, and it is ${posted?.id ?? 'not posted'}`]
}

function scoreOf(owners: ReadonlyMap<string, string>, ledger: Ledger) {
  const posts = new Map<string, string[]>()
  for (const { message, onBehalfOf } of ledger) {
    const text = String(message.data['text'])
    posts.set(text, [...(posts.get(text) ?? []), String(onBehalfOf)])
  }
  const all = [...owners]
  return {
    replies: owners.size,
    posts: ledger.length,
    doubled: [...posts.values()].filter(names => names.length > 1).length,
    lost: all.filter(([text]) => !posts.has(text)).length,
    underAnotherName: all.filter(([text, owner]) => posts.get(text)?.some(name => name !== owner)).length
  }
}

async function openBrowser(directory: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(join(directory, 'profile'), {
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    timeout: 60_000
  })
}

async function openTab(browser: BrowserContext, url: string, threads: readonly string[]): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(url)
  await ready(page, threads)
  return page
}

async function signIn(page: Page | undefined, name: string): Promise<void> {
  await page?.evaluate(name => (globalThis as unknown as { tab: Tab }).tab.signIn(name), name)
}

async function reload(page: Page | undefined, threads: readonly string[]): Promise<void> {
  await page?.reload()
  if (page) await ready(page, threads)
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
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

interface Tab {
  watch(threadIds: readonly string[]): void
  signIn(name: string): void
  send(threadId: string, texts: readonly string[]): Promise<readonly string[]>
  decide(texts: readonly string[]): void
  state(): unknown
}
