import fc from 'fast-check'
import t from 'tap'
import { createUidMap } from '../../../src/auth/uid/uid-map.ts'
import type { AppError } from '../../../src/errors.ts'
import { ANY_CHARACTER } from '../../helpers/any-character.ts'
import { seedOf } from '../../helpers/seed.ts'

const issuer = 'https://issuer.test'
const verbatim = createUidMap({ mode: 'verbatim', prefix: '' })
const hash = createUidMap({ mode: 'hash', prefix: 'u-' })
const UID = /^[a-z0-9_-]{1,100}$/
const seed = seedOf(t)

/** The UID of a subject, or the code of the refusal. */
function uidOf(map: typeof verbatim, subject: unknown, from = issuer): string {
  try {
    return map({ issuer: from, subject })
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}

/** Subjects that some service somewhere has taken for one another. */
const LOOK_ALIKES = [
  ...[
    'alice',
    'Alice',
    'ALICE',
    'alıce',
    'alİce',
    'ａｌｉｃｅ',
    'аlice',
    'alice\u0301',
    'al\u00edce',
    'ali\u200bce',
    'alice\u00ad'
  ],
  ...[
    'alice ',
    ' alice',
    'alice\0',
    'alice\n',
    'alice\r\n',
    'alice.',
    'alice@a.example',
    'alice@b.example',
    'alice+1',
    'alice%20'
  ],
  ...['auth0|x', 'auth0_x', 'auth0-x', 'auth0x', 'auth0%7Cx', 'a|b', 'a_b', 'a-b', 'a b', 'a.b', 'a/b'],
  ...['straße', 'strasse', 'ſtrasse', '\u212a', 'K', 'k', 'é', 'e\u0301', 'ﬁ', 'fi', '①', '1', '01', '1.0', '١'],
  ...[
    '9007199254740992',
    '9007199254740993',
    '12345678901234567890',
    '1e3',
    '1000',
    'null',
    'undefined',
    'true',
    'app_system'
  ],
  ...[
    'x'.repeat(99),
    'x'.repeat(100),
    'x'.repeat(101),
    `${'x'.repeat(100)}y`,
    '__proto__',
    'constructor',
    '../alice',
    '..'
  ]
]

t.test('verbatim takes what CometChat would not change, and refuses everything else', async t => {
  for (const subject of LOOK_ALIKES) {
    t.equal(
      uidOf(verbatim, subject),
      UID.test(subject) && subject !== 'app_system' ? subject : 'identity-unmappable',
      JSON.stringify(subject).slice(0, 40)
    )
  }
  await fc.assert(
    fc.property(
      fc.string({ unit: ANY_CHARACTER, maxLength: 120 }),
      subject => uidOf(verbatim, subject) === (UID.test(subject) ? subject : 'identity-unmappable')
    ),
    { seed }
  )
})

t.test('what is no text that can name somebody is refused in both modes', async t => {
  const nobody = [
    undefined,
    null,
    '',
    -0,
    1.5,
    2 ** 53,
    Number.NaN,
    true,
    false,
    [],
    ['alice'],
    {},
    { toString: () => 'alice' },
    new String('alice'),
    1n,
    Symbol('alice'),
    () => 'alice',
    '\ud800',
    'a\udc00',
    'x'.repeat(1025),
    'é'.repeat(513)
  ]
  for (const subject of nobody) {
    t.equal(uidOf(verbatim, subject), 'identity-unmappable', typeof subject)
    t.equal(uidOf(hash, subject), 'identity-unmappable', typeof subject)
  }
})

t.test('hash gives every look-alike a UID of its own', async t => {
  const issuers = [issuer, `${issuer}/`, issuer.toUpperCase(), '']
  const uids = issuers.flatMap(from => LOOK_ALIKES.map(subject => uidOf(hash, subject, from)))

  t.ok(
    uids.every(uid => /^u-[a-z2-7]{52}$/.test(uid)),
    'prefix, alphabet and length of 256 bits'
  )
  t.equal(new Set(uids.map(uid => uid.toLowerCase())).size, issuers.length * new Set(LOOK_ALIKES).size)
})

t.test('hash never gives two users one UID, however issuer and subject are cut', async () => {
  const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.property(part, part, part, (one, two, three) => {
      const left = uidOf(hash, two + three, one)
      const right = uidOf(hash, three, one + two)
      return left !== right && left !== uidOf(hash, three + two, one + one)
    }),
    { seed, numRuns: 500 }
  )
  const pairs = fc.tuple(fc.string({ unit: ANY_CHARACTER }), fc.string({ unit: ANY_CHARACTER, minLength: 1 }))
  await fc.assert(
    fc.property(pairs, pairs, ([fromA, a], [fromB, b]) => {
      fc.pre(a.isWellFormed() && b.isWellFormed())
      const isSame = a === b && Buffer.from(fromA).equals(Buffer.from(fromB))
      return (uidOf(hash, a, fromA) === uidOf(hash, b, fromB)) === isSame
    }),
    { seed, numRuns: 500 }
  )
})

t.test('hash gives the same user the same UID, for ever', async t => {
  t.equal(uidOf(hash, 'alice'), uidOf(createUidMap({ mode: 'hash', prefix: 'u-' }), 'alice'))
  // Whoever changes this line makes every user of every deployment a stranger to their own messages.
  t.equal(
    uidOf(createUidMap({ mode: 'hash', prefix: '' }), 'alice'),
    'q7dxqjgndv42tdolufbxygmfefvjfrxt7b6y4yjkghb5dtvipmqa'
  )
})

t.test('every prefix gives a UID that CometChat takes as it is', async () => {
  const prefix = fc.string({ unit: fc.constantFrom(...'abcxyz019_-'), maxLength: 48 })
  const subject = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
  await fc.assert(
    fc.property(prefix, subject, (text, name) => {
      const uid = uidOf(createUidMap({ mode: 'hash', prefix: text }), name)
      return UID.test(uid) && uid.startsWith(text) && uid.length === text.length + 52
    }),
    { seed }
  )
})

t.test("CometChat's own sender is nobody's UID; names that only resemble it are", async t => {
  t.equal(uidOf(verbatim, 'app_system'), 'identity-unmappable')
  for (const name of ['app-system', 'appsystem', 'app_system_', '_app_system', 'app_syste']) {
    t.equal(uidOf(verbatim, name), name)
  }
  t.match(uidOf(hash, 'app_system'), UID)
})

/** Why a subject is refused, or its UID. */
function reasonOf(map: typeof verbatim, subject: unknown): string {
  try {
    return map({ issuer, subject })
  } catch (error) {
    return String((error as AppError).options.reason)
  }
}

t.test('a whole number is the text of its digits, and what JSON.parse has rounded is nobody', async t => {
  t.equal(uidOf(verbatim, 42), '42')
  t.equal(uidOf(verbatim, 0), '0')
  t.equal(uidOf(hash, 42), uidOf(hash, '42'), 'whether the issuer writes a number or a text')
  t.equal(uidOf(verbatim, JSON.parse('9007199254740991')), '9007199254740991')
  for (const text of ['9007199254740992', '9007199254740993', '1e30', '-0', '0.5']) {
    t.equal(uidOf(verbatim, JSON.parse(text)), 'identity-unmappable', text)
  }
})

t.test('UID_STRIP takes a prefix away, and refuses who lacks it or is nothing else', async t => {
  const strip = createUidMap({ mode: 'verbatim', prefix: '', strip: 'auth0|' })
  t.equal(uidOf(strip, 'auth0|17'), '17')
  for (const subject of ['17', 'auth0|', 'AUTH0|17', 'google|17', 'auth0|auth0|17', 'auth0|A', 'auth0|app_system']) {
    t.equal(uidOf(strip, subject), 'identity-unmappable', subject)
  }
  const hashed = createUidMap({ mode: 'hash', prefix: '', strip: 'auth0|' })
  t.equal(uidOf(hashed, 'auth0|alice'), uidOf(createUidMap({ mode: 'hash', prefix: '' }), 'alice'))
  t.equal(strip({ issuer, subject: 'google|17', uidStrip: 'google|' }), '17', 'an issuer may have its own')
  const name = fc.string({ unit: fc.constantFrom(...'ab|0'), maxLength: 8 })
  await fc.assert(
    fc.property(name, name, (one, other) => {
      const [left, right] = [reasonOf(strip, `auth0|${one}`), reasonOf(strip, `auth0|${other}`)]
      return left !== right || one === other || left === 'uid-form'
    }),
    { seed }
  )
})

t.test('the log says whether the claim is missing or malformed', async t => {
  for (const subject of [undefined, null, '', []]) t.equal(reasonOf(verbatim, subject), 'uid-missing')
  for (const subject of ['Alice', 'a b', 2 ** 53, true, {}, ['alice'], 'x'.repeat(101), 'app_system', '\ud800']) {
    t.equal(reasonOf(verbatim, subject), 'uid-form', JSON.stringify(subject))
  }
})
