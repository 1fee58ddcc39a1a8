// Runs the recipe "Session cookie of your backend" of docs/authentication.md as it is written; only addresses are exchanged
// for those of this test. Its pages: `client/recipes/pages.test.ts`.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { parseEnv, promisify } from 'node:util'
import t from 'tap'
import { startSessionTarget } from '../../helpers/app-session.ts'
import { freePort } from '../../helpers/free-port.ts'
import { blockOf, moved, runProgram } from '../../helpers/recipes.ts'
import { needsRedis } from '../../helpers/redis-server.ts'

const text = await readFile(new URL('../../../docs/authentication.md', import.meta.url), 'utf8')

t.test('the recipe for the session of a backend works as it is written', needsRedis(), async t => {
  const { redis, parentId, start, takeNames } = await startSessionTarget(t)
  const port = await freePort()
  const addresses = { 'redis://127.0.0.1:6379': redis.url, '4001': String(port) }
  const recipe = (name: string): string => moved(blockOf(text, `recipe: ${name}`), addresses)
  const service = await start(t, parseEnv(recipe('app session environment')))
  await runProgram(t, recipe('app backend'))
  const script = moved(recipe('app session call'), {
    // The cookie is one of localhost.
    'http://localhost:3000': service.url.replace('127.0.0.1', 'localhost'),
    '/threads/100/': `/threads/${parentId}/`
  })

  const { stdout } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    cwd: t.testdir({})
  })

  t.match(stdout, /^signed in\nHTTP\/1\.1 201 Created/)
  t.same(takeNames(), ['alice'])
})
