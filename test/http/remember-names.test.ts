import t from 'tap'
import { rememberNames } from '../../src/http/remember-names.ts'

function counted() {
  const asked: string[] = []
  const lengthOf = rememberNames(name => {
    asked.push(name)
    return name.length > 3 ? name.length : null
  })
  return { asked, lengthOf }
}

t.test('a name is looked at once, whatever is said of it', async t => {
  const { asked, lengthOf } = counted()

  t.same(['host', 'via', 'host', '', ''].map(lengthOf), [4, null, 4, null, null])
  t.same(asked, ['host', 'via', '', '', ''].slice(0, 3))
})

t.test('what is remembered has a bound, in names and in their length', async t => {
  const { asked, lengthOf } = counted()
  for (let round = 0; round < 2; round++) for (let index = 0; index < 1000; index++) lengthOf(`x-name-${index}`)
  t.equal(asked.length, 1000, 'a thousand names')

  lengthOf('one-more')
  lengthOf('x-name-0')
  t.same(asked.slice(1000), ['one-more', 'x-name-0'], 'beyond it the memory begins again')

  const [long, longer] = ['n'.repeat(64), 'n'.repeat(65)]
  for (const name of [long, long, longer, longer]) t.equal(lengthOf(name), name.length)
  t.same(asked.slice(1002), [long, longer, longer])
})
