// A service of two workers that has met everything there is a figure for.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createSigningKey, startIdentityProvider } from './identity-provider.ts'
import { scrape } from './metrics.ts'
import { startTargetProcess } from './target.ts'
import { until } from './until.ts'

/** With a scrape of it. */
export async function startScrapedWorkers(t: Test) {
  const provider = await startIdentityProvider(t, [await createSigningKey('one')])
  const directory = mkdtempSync(join(tmpdir(), 'metrics-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const target = await startTargetProcess(t, {
    mint: user => provider.tokenFor(user),
    env: {
      AUTH_JWT_ISSUER: provider.issuer,
      AUTH_JWT_SECRET: undefined,
      LIMIT_MODE: undefined,
      WEB_CONCURRENCY: '2',
      STORE_URL: `file:${directory}/records.db`,
      STORE_SECRET: 'a-secret-of-records-for-tests-of-44-bytes-xx',
      BUILD_COMMIT: 'c0ffee1'
    }
  })
  // Two workers take turns: a few of each, so that both have met it.
  for (let turn = 0; turn < 4; turn++) {
    await target.post({ headers: { 'idempotency-key': `key-${turn}` } })
    target.emulator.failNext({ kind: 'reset' }, { method: 'POST' })
    await target.post({})
    await target.post({ token: 'no.to.ken' })
  }
  await until(async () => {
    const { figures } = await scrape(target.service.adminUrl)
    return ['1', '2'].every(worker => figures.has(`records{state="done",worker="${worker}"}`))
  })
  return { target, live: await scrape(target.service.adminUrl), directory }
}
