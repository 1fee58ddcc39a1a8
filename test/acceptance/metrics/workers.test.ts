// Several workers, each under its place: never summed, and none that hangs or dies holds a scrape up.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { scrape } from '../../helpers/metrics.ts'
import { childrenOf } from '../../helpers/processes.ts'
import { connectRaw, requestBytes } from '../../helpers/raw-http.ts'
import { startTargetProcess } from '../../helpers/target.ts'
import { until } from '../../helpers/until.ts'

t.setTimeout(240_000)

const SENT = { delivery: 'sent', code: 'none' }
/** A hung worker is waited for 2 s; the rest is for a busy machine. */
const SCRAPED_WITHIN_MS = 8000

async function startWorkers(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), 'metrics-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const target = await startTargetProcess(t, {
    env: {
      WEB_CONCURRENCY: '2',
      STORE_URL: `file:${join(directory, 'records.db')}`,
      STORE_SECRET: 'a-store-secret-for-tests-of-40-bytes-xxx'
    }
  })
  const { service, tokens, parentId } = target
  return {
    ...target,
    /** Sends replies on one connection, which one worker has. */
    async sendOnOne(count: number): Promise<void> {
      const connection = await connectRaw(t, service.url)
      const headers = { authorization: `Bearer ${tokens.alice}`, 'content-type': 'application/json' }
      for (let turn = 0; turn < count; turn++) {
        connection.send(
          requestBytes(`POST /threads/${parentId}/replies`, headers, JSON.stringify({ data: { text: 'hello' } }))
        )
        t.equal((await connection.answer(30_000)).status, 201)
      }
      connection.socket.destroy()
    },
    sent: async () => {
      const now = await scrape(service.adminUrl)
      return ['1', '2'].map(worker => now.value('reply_verdicts_total', { worker, ...SENT }))
    },
    up: async () => {
      const beganAtMs = performance.now()
      const now = await scrape(service.adminUrl)
      t.ok(performance.now() - beganAtMs < SCRAPED_WITHIN_MS, 'the scrape came to its end')
      return ['1', '2'].map(worker => now.value('worker_up', { worker }))
    }
  }
}

t.test('each worker is told under its place, and what it counted is its own', async t => {
  const { sendOnOne, sent, up, service } = await startWorkers(t)
  await sendOnOne(3)
  const first = await sent()
  await sendOnOne(5)

  t.same([...first].sort(), [0, 3])
  t.same(await sent(), first[0] === 3 ? [3, 5] : [5, 3], 'connections go to each in its turn')
  t.same(await up(), [1, 1])
  const { figures, text } = await scrape(service.adminUrl)
  for (const series of figures.keys()) t.match(series, /worker="[12]"/, series)
  t.equal(text.match(/^# TYPE reply_verdicts_total/gm)?.length, 1)
})

t.test('a worker that hangs is left out and said to be, and the other one is told', async t => {
  const { sendOnOne, sent, up, service } = await startWorkers(t)
  await sendOnOne(2)
  await sendOnOne(2)
  const [hung = 0] = childrenOf(service.process.pid)
  process.kill(hung, 'SIGSTOP')
  const [ups, scrapes] = [await up(), await Promise.all([sent(), sent(), sent()])]
  process.kill(hung, 'SIGCONT')

  t.same([...ups].sort(), [0, 1])
  for (const told of scrapes) t.same([...told].sort(), [2, undefined], 'several scrapers at once are told the same')
  await until(async () => (await sent()).every(count => count === 2))
  t.same(await up(), [1, 1], 'and when it goes on, it is told again with all it knew')
})

t.test('a worker that dies in a scrape ends it, and the one in its place begins at nothing', async t => {
  const { sendOnOne, sent, up, service } = await startWorkers(t)
  await sendOnOne(2)
  await sendOnOne(2)
  const [doomed = 0] = childrenOf(service.process.pid)
  process.kill(doomed, 'SIGSTOP')
  const scraping = up()
  process.kill(doomed, 'SIGKILL')

  t.same([...(await scraping)].sort(), [0, 1])
  await service.lineWhere(({ msg }) => msg === 'worker replaced')
  await until(async () => (await up()).every(one => one === 1))
  t.same([...(await sent())].sort(), [0, 2])
})
