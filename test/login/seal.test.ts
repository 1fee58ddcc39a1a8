import fc from 'fast-check'
import t from 'tap'
import { createSealer, randomId } from '../../src/login/seal.ts'

const END_MS = 1_800_000_000_000
let nowMs = END_MS - 60_000
const clock = { now: () => nowMs }
const sealer = createSealer('one secret', clock)
const user = { user: 'alice' }

t.test('what was sealed opens in the same context, with the same secret, and nowhere else', async t => {
  const text = await sealer.seal(user, 'session:1', END_MS)

  t.match(await sealer.unseal(text, 'session:1'), { ...user, exp: END_MS / 1000 })
  t.match(await createSealer('one secret', clock).unseal(text, 'session:1'), user, 'another instance')
  t.equal(await sealer.unseal(text, 'session:2'), undefined)
  t.equal(await createSealer('two', clock).unseal(text, 'session:1'), undefined)
  for (const part of [text, ...text.split('.')]) t.notMatch(Buffer.from(part, 'base64url').toString('latin1'), 'alice')
  t.not(await sealer.seal(user, 'session:1', END_MS), text, 'never twice the same')
})

t.test('what has ended is told apart from what was never sealed here', async t => {
  t.teardown(() => {
    nowMs = END_MS - 60_000
  })
  const text = await sealer.seal(user, 'x', END_MS)
  nowMs = END_MS - 1
  t.match(await sealer.unseal(text, 'x'), user)
  nowMs = END_MS
  t.equal(await sealer.unseal(text, 'x'), 'expired')
  t.equal(await sealer.unseal(text, 'y'), undefined)
})

t.test('a changed bit opens nothing, wherever it is, and no text breaks anything', async t => {
  const text = await sealer.seal(user, 'x', END_MS)
  const parts = text.split('.').map(part => Buffer.from(part, 'base64url'))

  for (const [which, part] of parts.entries()) {
    for (let index = 0; index < part.length; index++) {
      const changed = Buffer.from(part)
      changed[index] = (changed[index] ?? 0) ^ 1
      const forged = parts.with(which, changed).map(bytes => bytes.toString('base64url'))
      t.equal(await sealer.unseal(forged.join('.'), 'x'), undefined, `part ${which}, byte ${index}`)
    }
  }
  for (const forged of [text.slice(0, -1), `${text}.`, text.split('.').reverse().join('.'), `${text}${text}`]) {
    t.equal(await sealer.unseal(forged, 'x'), undefined)
  }
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ maxLength: 300 }),
        fc.array(fc.base64String(), { minLength: 5, maxLength: 5 }).map(all => all.join('.'))
      ),
      async noise => (await sealer.unseal(noise, 'x')) === undefined
    )
  )
  t.pass('random text')
})

t.test('another algorithm is refused, also under the right key', async t => {
  const text = await sealer.seal(user, 'x', END_MS)
  for (const header of [{ alg: 'none' }, { alg: 'dir', enc: 'A128GCM' }, { alg: 'A256KW', enc: 'A256GCM' }, {}]) {
    const [, ...others] = text.split('.')
    const forged = [Buffer.from(JSON.stringify(header)).toString('base64url'), ...others].join('.')
    t.equal(await sealer.unseal(forged, 'x'), undefined, JSON.stringify(header))
  }
})

t.test('an id has 256 bits', async t => {
  const ids = new Set(Array.from({ length: 1000 }, randomId))

  t.equal(ids.size, 1000)
  for (const id of ids) if (Buffer.from(id, 'base64url').length !== 32) t.fail(id)
})
