import t from 'tap'
import { TokenSenders } from '../../../src/auth/bearer/token-senders.ts'

t.test('a network that good tokens come from goes first, one that only sends refused ones last', async t => {
  const senders = new TokenSenders()
  t.equal(senders.rankOf('new'), 1)
  for (let index = 0; index < 4; index++) senders.noteRefused('junk')
  t.equal(senders.rankOf('junk'), 1, "a few refusals are nobody's fault")
  senders.noteRefused('junk')
  t.equal(senders.rankOf('junk'), 2)
  senders.noteGood('junk')
  t.equal(senders.rankOf('junk'), 0, 'one good token makes up for them')

  senders.noteGood('good')
  for (let index = 0; index < 5; index++) senders.noteRefused('good')
  t.equal(senders.rankOf('good'), 2, 'but a good name does not last')
})

t.test('no number of strangers makes a good network forgotten', async t => {
  const senders = new TokenSenders()
  senders.noteGood('good')
  for (let index = 0; index < 20_000; index++) senders.noteRefused(`stranger-${index}`)
  t.equal(senders.rankOf('good'), 0)
})
