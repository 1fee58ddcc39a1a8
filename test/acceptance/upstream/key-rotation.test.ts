// A cold start and a change of keys, both under load: nobody valid is refused, and the issuer hardly notices.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { createSigningKey, startIdentityProvider } from '../../helpers/identity-provider.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

const { env, parentId } = await startEmulator(t)

t.test('a thousand first calls at once cost one discovery and one read of the keys', async t => {
  const issuer = await startIdentityProvider(t, [await createSigningKey('one')])
  // Before the service starts: signing keeps this process, which is the issuer, too, from answering for the keys.
  const tokens = await Promise.all(Array.from({ length: 1000 }, (_, index) => issuer.tokenFor('alice', jti(index))))
  const service = await hostService(t, { ...env, ...issuer.env })

  // A body that is refused after the token was accepted: this is about tokens, not about replies.
  const calls = tokens.map(token => postReply(service, { token, parentId, body: '{}' }))
  const statuses = new Set((await Promise.all(calls)).map(({ status }) => status))

  t.strictSame([...statuses], [422])
  t.strictSame(issuer.counts, { metadata: 1, keys: 1 })
})

t.test('keys that change again and again under load cause no false refusal', async t => {
  const keys = await Promise.all(['one', 'two', 'three', 'four', 'five'].map(kid => createSigningKey(kid)))
  const issuer = await startIdentityProvider(t, keys.slice(0, 1))
  const service = await hostService(t, { ...env, ...issuer.env })
  const statuses = new Map<number, number>()
  let isRunning = true
  let calls = 0
  const caller = async (): Promise<void> => {
    while (isRunning) {
      const token = await issuer.tokenFor('alice', jti(calls++))
      const { status } = await postReply(service, { token, parentId, body: '{}' })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  const callers = Array.from({ length: 20 }, caller)
  const moreCalls = async (): Promise<void> => {
    for (const enough = calls + 200; calls < enough; ) await sleep(5)
  }

  // The former key stays published, as every careful issuer keeps it.
  for (const [index, key] of keys.entries()) {
    await moreCalls()
    const former = keys[index - 1]
    issuer.rotateTo(key, ...(former ? [former] : []))
  }
  await moreCalls()
  isRunning = false
  await Promise.all(callers)

  t.comment(`${calls} calls, ${issuer.counts.keys} reads of the keys`)
  t.strictSame([...statuses.keys()], [422], 'no call is refused for its token')
  t.ok(calls > 100, 'there was a load')
  t.ok(issuer.counts.keys <= keys.length + 1, 'one read for each change')
})

function jti(index: number) {
  return { claims: { jti: String(index) } }
}
