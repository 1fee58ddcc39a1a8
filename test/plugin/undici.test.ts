// The plugin has another undici than the service, because that one does not load on Node 20: what rests on it holds for both.
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run } from './consumer.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HOOK = new URL('with-undici-7.ts', import.meta.url).href

for (const file of ['test/upstream/transport/pool.test.ts', 'test/outbound/fetch-json.test.ts']) {
  t.test(`${file} passes with undici 7, too`, async t => {
    const output = await run(process.execPath, ['--import', HOOK, file], ROOT, { PATH: process.env['PATH'] })

    t.match(output, /^# undici 7 was used$/m)
    t.match(output, /^# \{ total: \d+, pass: \d+ \}$/m)
  })
}
