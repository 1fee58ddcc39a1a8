import fc from 'fast-check'
import t from 'tap'
import { createSealer, nameOf, randomId } from '../../src/login/seal.ts'

const sealer = createSealer('one secret')

t.test('what was sealed opens in the same context, with the same secret, and nowhere else', async t => {
  const text = sealer.seal({ user: 'alice' }, 'session:1')

  t.same(sealer.open(text, 'session:1'), { user: 'alice' })
  t.same(createSealer('one secret').open(text, 'session:1'), { user: 'alice' }, 'another instance')
  t.equal(sealer.open(text, 'session:2'), undefined)
  t.equal(createSealer('two').open(text, 'session:1'), undefined)
  t.notMatch(Buffer.from(text, 'base64url').toString('latin1'), 'alice')
  t.not(sealer.seal({ user: 'alice' }, 'session:1'), text, 'never twice the same')
})

t.test('a changed byte opens nothing, and no text breaks anything', async t => {
  const text = sealer.seal({ user: 'alice' }, 'x')
  const bytes = Buffer.from(text, 'base64url')

  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    t.equal(sealer.open(changed.toString('base64url'), 'x'), undefined, `byte ${index}`)
  }
  fc.assert(fc.property(fc.string({ maxLength: 300 }), noise => sealer.open(noise, 'x') === undefined))
  t.pass('random text')
})

t.test('names never run into each other', async t => {
  t.not(nameOf('sid', 'a', 'bc'), nameOf('sid', 'ab', 'c'))
  t.not(nameOf('sid', '1:a', 'b'), nameOf('sid', '1', ':ab'))
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), (one, other) => {
      return (nameOf(...one) === nameOf(...other)) === (JSON.stringify(one) === JSON.stringify(other))
    })
  )
  t.pass('property')
})

t.test('an id has 256 bits', async t => {
  const ids = new Set(Array.from({ length: 1000 }, randomId))

  t.equal(ids.size, 1000)
  for (const id of ids) if (Buffer.from(id, 'base64url').length !== 32) t.fail(id)
})
