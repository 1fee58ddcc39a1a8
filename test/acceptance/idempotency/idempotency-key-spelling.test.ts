import t from 'tap'
import { isReplayed, startKeyedReplies, withText } from '../../helpers/keyed-replies.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply } from '../../helpers/thread.ts'

const { send, posts, emulator } = await startKeyedReplies(t)

const VALID: Readonly<Record<string, string>> = {
  'one character': 'a',
  '255 characters': 'x'.repeat(255),
  '255 characters in quotes': `"${'y'.repeat(255)}"`,
  '255 characters, each escaped': `"${'\\"'.repeat(255)}"`,
  'a UUID': '8e03978e-40d5-43e8-bc93-6894a57f9324',
  'a UUID in quotes, as the draft has it': '"9f14a89f-51e6-44f9-8da4-7905b680a435"',
  'a blank in quotes': '" "',
  'words in quotes': '"two words"',
  'escapes in quotes': '"a \\"b\\" \\\\c"',
  'all that is visible': "!#$%&'()*+-./0123456789:;<=>?@ABCXYZ[\\]^_`abcxyz{|}~",
  'a comma in quotes': '"a,b"'
}
const INVALID: Readonly<Record<string, string>> = {
  nothing: '',
  'nothing in quotes': '""',
  'one quote': '"',
  'a quote at the beginning only': '"abc',
  'a quote at the end only': 'abc"',
  'a quote in the middle': 'ab"c',
  'a quote in quotes': '"a"b"',
  'an escape of something else': '"a\\b"',
  'an escape of the end': '"a\\"',
  'a comma, which joins two headers': 'a,b',
  'two quoted keys': '"a", "b"',
  'a blank': 'a b',
  'a tab': 'a\tb',
  'a tab in quotes': '"a\tb"',
  parameters: '"abc";p=1',
  'beyond ASCII': 'schl\xfcssel',
  'beyond ASCII in quotes': '"schl\xfcssel"',
  '256 characters': 'x'.repeat(256),
  '256 characters in quotes': `"${'x'.repeat(256)}"`,
  '10,000 characters': 'x'.repeat(10_000)
}

for (const [what, key] of Object.entries(VALID)) {
  t.test(`a key of ${what} is taken, and found again`, async t => {
    const first = await send(key, withText(what))
    const second = await send(key, withText(what))

    t.same([first.status, second.status, isReplayed(second)], [201, 201, true])
    t.equal(posts(what).length, 1)
  })
}

for (const [what, key] of Object.entries(INVALID)) {
  t.test(`a key of ${what} is refused`, async t => {
    const before = emulator.requests.length
    const answer = await send(key, withText(what))

    expectProblem(t, answer, 'idempotency-key-invalid', { hasKey: true })
    t.equal(emulator.requests.length, before, 'CometChat hears nothing of it')
  })
}

t.test('keys that differ in case are different keys', async t => {
  const answers = [await send('Key', withText('case')), await send('key', withText('case'))]

  t.same(answers.map(isReplayed), [false, false])
  t.equal(posts('case').length, 2)
})

t.test('where a key is demanded, a request without one is refused and one with a key is posted', async t => {
  const strict = await startKeyedReplies(t, { IDEMPOTENCY_KEY: 'required' })
  const { service, parentId } = strict
  const without = await postReply(service, { parentId })
  const withKey = await strict.send('a-key')

  expectProblem(t, without, 'idempotency-key-required')
  t.equal(withKey.status, 201)
  t.equal(strict.posts().length, 1)
})
