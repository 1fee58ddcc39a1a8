import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/delivery.md')

t.test('the example in docs/delivery.md is the code that the storm runs', async t => {
  const [, example] = /```ts\n([\s\S]*?)\n```/.exec(page) ?? []

  t.equal(example, read('test/storm/send-reply.ts').trim())
})

t.test('every test that docs/delivery.md names exists', async t => {
  const named = [...page.matchAll(/`([a-z-]+(?:\/[a-z-]+)+\.test\.ts)`/g)].map(([, path = '']) => path)

  t.ok(named.length > 20)
  for (const path of named) t.ok(existsSync(new URL(`../${path}`, import.meta.url)), path)
})
