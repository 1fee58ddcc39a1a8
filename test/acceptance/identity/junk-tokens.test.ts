// Strangers who send tokens that are none, from a few addresses: the users of another address are let in.
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { startJsonServer } from '../../helpers/json-server.ts'
import { startEmulator } from '../../helpers/thread.ts'
import { AUDIENCE, ISSUER } from '../../helpers/tokens.ts'

const STRANGERS = 300
const USERS = 40
const ISSUER_TAKES_MS = 50

const { env, groupParentId } = await startEmulator(t)
const issuer = await startJsonServer(t)
issuer.answer(async ({ body }, response) => {
  const [, user] = /token=good-\d+-([a-z]+)/.exec(body) ?? []
  await sleep(ISSUER_TAKES_MS)
  response.end(JSON.stringify(user ? { active: true, sub: user, iss: ISSUER, aud: AUDIENCE } : { active: false }))
})
const service = await hostService(t, {
  ...env,
  AUTH_INTROSPECTION_URL: issuer.url,
  AUTH_INTROSPECTION_CLIENT_ID: 'client',
  AUTH_INTROSPECTION_CLIENT_SECRET: 'secret'
})

/** The status of a reply that comes from an address of loopback. */
function post(token: string, localAddress: string, agent: Agent): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  request(`${service.url}/threads/${groupParentId}/replies`, { method: 'POST', headers, localAddress, agent })
    .on('response', response => response.resume().on('end', () => resolve(response.statusCode)))
    .on('error', reject)
    .end(JSON.stringify({ data: { text: 'hello' } }))
  return promise
}

t.test('three hundred connections with junk do not shut out the new tokens of another address', async t => {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const statuses = new Map<number | undefined, number>()
  let isRunning = true
  let sent = 0
  const stranger = async (_: unknown, index: number): Promise<void> => {
    while (isRunning) {
      const status = await post(`junk-${sent++}`, `127.0.1.${index % 3}`, agent)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  const strangers = Array.from({ length: STRANGERS }, stranger)
  while (sent < 3 * STRANGERS) await sleep(20)

  const names = ['alice', 'bob', 'carol']
  const calls = Array.from({ length: USERS }, (_, index) =>
    post(`good-${index}-${names[index % 3]}`, '127.0.2.1', agent)
  )
  const accepted = (await Promise.all(calls)).filter(status => status === 201).length
  isRunning = false
  await Promise.all(strangers)

  t.comment(`${accepted} of ${USERS} users beside`, Object.fromEntries(statuses))
  t.ok(accepted >= USERS - 2, `${accepted} of ${USERS}`)
  t.same(
    [...statuses.keys()].filter(status => status !== 401 && status !== 503),
    [],
    'and no junk is anybody'
  )
})
