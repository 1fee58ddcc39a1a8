import fc from 'fast-check'
import t from 'tap'
import { createLowerUidMap } from '../../../src/auth/uid/lower.ts'
import { createMemoryUidOwners } from '../../../src/auth/uid/owners/memory.ts'
import type { UidOwners } from '../../../src/auth/uid/owners/uid-owners.ts'
import { AppError } from '../../../src/errors.ts'
import { seedOf } from '../../helpers/seed.ts'

const ISSUER = 'https://issuer.test'
const seed = seedOf(t)

function build({ owners = createMemoryUidOwners(), strip }: { owners?: Pick<UidOwners, 'own'>; strip?: string } = {}) {
  const alarms: string[] = []
  const uidOf = createLowerUidMap({
    owners,
    strip,
    emit: event => {
      if (event.name === 'alarm' && 'uid' in event) alarms.push(`${event.alarm} ${event.uid}`)
    }
  })
  /** The UID, or the reason of the refusal. */
  const of = async (subject: unknown, issuer = ISSUER): Promise<string> => {
    try {
      return await uidOf({ issuer, subject })
    } catch (error) {
      return error instanceof AppError ? `${error.code}: ${error.options.reason}` : String(error)
    }
  }
  return { alarms, uidOf, of }
}

t.test('the UID is what CometChat makes of an id: lower case, and nothing else is changed', async t => {
  const { of } = build()
  t.equal(await of('TqYzX0aBcDeFgHiJkLmNoPqRsTu2'), 'tqyzx0abcdefghijklmnopqrstu2')
  t.equal(await of('user_2NNEqL2nrIRdJ194ndJqAHwEfxC'), 'user_2nneql2nrirdj194ndjqahwefxc')
  t.equal(await of(42), '42')
  for (const subject of ['auth0|A', 'a b', 'a@b.example', 'İ', 'É', '\u212a', 'ſ', 'App_System', 'A'.repeat(101)]) {
    t.equal(await of(subject), 'identity-unmappable: uid-form', subject)
  }
  t.equal(await of(undefined), 'identity-unmappable: uid-missing')
})

t.test('of two users who become one UID the first owns it, and the second is refused with an alarm', async t => {
  const { alarms, of } = build()
  t.equal(await of('Alice'), 'alice')
  t.equal(await of('aLICE'), 'identity-unmappable: uid-taken')
  t.equal(await of('Alice', 'https://other.test'), 'identity-unmappable: uid-taken', 'nor of another issuer')
  t.equal(await of('Alice'), 'alice')
  t.same(alarms, ['uid-taken alice', 'uid-taken alice'])
})

t.test('a user whom this process knows is mapped in the same turn', async t => {
  t.equal(build().uidOf({ issuer: ISSUER, subject: 'Alice' }), 'alice')
})

t.test('UID_STRIP comes first, and two that differ in what is taken away stay two', async t => {
  const { of, uidOf } = build({ strip: 'auth0|' })
  t.equal(await of('auth0|Alice'), 'alice')
  t.equal(await of('Alice'), 'identity-unmappable: uid-form')
  t.throws(() => uidOf({ issuer: ISSUER, subject: 'google|Alice', uidStrip: 'google|' }), {
    code: 'identity-unmappable',
    options: { reason: 'uid-taken' }
  })
})

t.test('two users never share a UID, and no user loses theirs, whoever comes when', async () => {
  const subject = fc.string({ unit: fc.constantFrom(...'aAbB1_'), minLength: 1, maxLength: 4 })
  const user = fc.record({ issuer: fc.constantFrom('urn:a', 'urn:b'), subject })
  await fc.assert(
    fc.asyncProperty(fc.array(user, { maxLength: 60 }), async users => {
      const { of } = build()
      const ownerOf = new Map<string, string>()
      for (const { issuer, subject } of users) {
        const name = JSON.stringify([issuer, subject])
        const uid = subject.toLowerCase()
        if (!ownerOf.has(uid)) ownerOf.set(uid, name)
        const expected = ownerOf.get(uid) === name ? uid : 'identity-unmappable: uid-taken'
        if ((await of(subject, issuer)) !== expected) return false
      }
      return true
    }),
    { seed }
  )
})

t.test('owners that cannot be asked are an outage', async t => {
  const own = async () => {
    throw new AppError('store-unavailable', 'x', { reason: 'uid-owners' })
  }
  t.equal(await build({ owners: { own } }).of('Alice'), 'store-unavailable: uid-owners')
})
