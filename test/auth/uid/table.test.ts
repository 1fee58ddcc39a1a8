import t, { type Test } from 'tap'
import { createMemoryUidOwners } from '../../../src/auth/uid/owners/memory.ts'
import { createTableUidMap, type TableKey } from '../../../src/auth/uid/table.ts'
import { createUrlLookup } from '../../../src/auth/uid/table-url.ts'
import { AppError } from '../../../src/errors.ts'
import { findUid, parseUidTable, tableUrl } from '../../../src/lib/service/uid-table.ts'
import { UnexpectedStatus } from '../../../src/outbound/fetch-json.ts'

const ISSUER = 'https://issuer.test'

/** A map over a table and a clock that the test holds in its hands. */
function build(table: Record<string, string>, { ttlMs = 60_000, owners = createMemoryUidOwners() } = {}) {
  const world = { table, monotonicMs: 0, down: false, asked: [] as TableKey[], alarms: [] as string[] }
  const uidOf = createTableUidMap({
    clock: { monotonic: () => world.monotonicMs },
    ttlMs,
    owners,
    emit: event => {
      if (event.name === 'alarm' && event.alarm === 'uid-shared') world.alarms.push(`${event.alarm} ${event.uid}`)
    },
    lookUp: async key => {
      world.asked.push(key)
      if (world.down) throw new Error('down')
      return world.table[key.subject]
    }
  })
  const codeFor = async (subject: unknown, issuer = ISSUER): Promise<string> => {
    try {
      return await uidOf({ issuer, subject })
    } catch (error) {
      return error instanceof AppError ? error.code : String(error)
    }
  }
  return { world, codeFor }
}

t.test('a user gets the UID of the table, asked for once a minute', async t => {
  const { world, codeFor } = build({ '17': 'alice-of-old' })

  t.equal(await codeFor('17'), 'alice-of-old')
  world.monotonicMs = 59_999
  t.equal(await codeFor('17'), 'alice-of-old')
  t.equal(world.asked.length, 1)
  world.table = { '17': 'alice-of-new' }
  world.monotonicMs = 60_000
  t.equal(await codeFor('17'), 'alice-of-new')
})

t.test('a user whom the table does not know is refused, and asked for again after 10 s', async t => {
  const { world, codeFor } = build({})
  t.equal(await codeFor('17'), 'identity-unmappable')
  world.table = { '17': 'alice' }
  world.monotonicMs = 9999
  t.equal(await codeFor('17'), 'identity-unmappable')
  world.monotonicMs = 10_000
  t.equal(await codeFor('17'), 'alice')
})

t.test('what is no UID is refused, and what is no name is never asked for', async t => {
  const uids = { a: 'Alice', b: '', c: 'a b', d: 'x'.repeat(101), e: 'alice\n', f: '../groups', g: 'app_system' }
  const { world, codeFor } = build(uids)
  for (const subject of Object.keys(uids)) t.equal(await codeFor(subject), 'identity-unmappable', subject)
  const asked = world.asked.length
  for (const subject of [undefined, null, 7.5, '', {}, ['a'], '\ud800', 'x'.repeat(1025)]) {
    t.equal(await codeFor(subject), 'identity-unmappable')
  }
  t.equal(world.asked.length, asked)
})

t.test('an outage is an outage and is not remembered', async t => {
  const { world, codeFor } = build({ '17': 'alice' })
  world.down = true
  t.equal(await codeFor('17'), 'identity-provider-unavailable')
  world.down = false
  t.equal(await codeFor('17'), 'alice')
})

t.test('a thousand first calls of one user ask once', async t => {
  const { world, codeFor } = build({ '17': 'alice' })
  const uids = await Promise.all(Array.from({ length: 1000 }, () => codeFor('17')))

  t.strictSame([...new Set(uids)], ['alice'])
  t.equal(world.asked.length, 1)
})

t.test('two users never share a UID: the second is refused, and somebody is told', async t => {
  const { world, codeFor } = build({ '17': 'alice', '18': 'alice' })

  t.equal(await codeFor('17'), 'alice')
  t.equal(await codeFor('18'), 'identity-unmappable')
  t.equal(await codeFor('17', 'https://other-issuer.test'), 'identity-unmappable')
  t.equal(await codeFor('17'), 'alice')
  t.strictSame(world.alarms, ['uid-shared alice', 'uid-shared alice'])
})

t.test('of many users who come for one UID at once, one gets it', async t => {
  const names = Array.from({ length: 200 }, (_, index) => `user-${index}`)
  const { codeFor } = build(Object.fromEntries(names.map(name => [name, 'alice'])))
  const answers = await Promise.all(names.map(name => codeFor(name)))

  t.equal(answers.filter(answer => answer === 'alice').length, 1)
})

t.test('of many users who come at once for a UID that its holder lost, one gets it', async t => {
  const { world, codeFor } = build({ '17': 'alice' })
  await codeFor('17')
  const names = Array.from({ length: 200 }, (_, index) => `user-${index}`)
  world.table = Object.fromEntries(names.map(name => [name, 'alice']))
  world.monotonicMs = 60_000
  const answers = await Promise.all(names.map(name => codeFor(name)))

  t.equal(answers.filter(answer => answer === 'alice').length, 1)
})

t.test('a third user between two that share a UID changes nothing for them', async t => {
  const { world, codeFor } = build({ '17': 'alice', '18': 'alice', '19': 'carol' })

  t.equal(await codeFor('17'), 'alice')
  t.equal(await codeFor('19'), 'carol')
  t.equal(await codeFor('18'), 'identity-unmappable')
  t.equal(await codeFor('19'), 'carol')
  t.equal(await codeFor('17'), 'alice')
  t.strictSame(world.alarms, ['uid-shared alice'])
})

t.test('a third user who was bound while the former holder was asked about keeps the UID', async t => {
  const table: Record<string, string> = { '17': 'alice' }
  const waiting: (() => void)[] = []
  let holdsBack = false
  const uidOf = createTableUidMap({
    clock: { monotonic: () => 0 },
    ttlMs: 0,
    owners: createMemoryUidOwners(),
    emit: () => undefined,
    lookUp: async ({ subject }) => {
      if (holdsBack && subject === '17') await new Promise<void>(resolve => waiting.push(resolve))
      return table[subject]
    }
  })
  const uidFor = (subject: string) => uidOf({ issuer: ISSUER, subject })
  await uidFor('17')
  holdsBack = true
  Object.assign(table, { '17': 'alice-of-old', '18': 'alice', '19': 'alice' })

  const second = uidFor('18')
  const third = uidFor('19')
  await new Promise(resolve => setImmediate(resolve))
  t.equal(waiting.length, 1, 'the table is asked about the holder once')
  waiting.forEach(resume => void resume())

  t.equal(await second, 'alice')
  await t.rejects(Promise.resolve(third), { code: 'identity-unmappable', options: { reason: 'uid-shared' } })
})

t.test('where no more owners can be kept a user who is new is refused, and no owner is forgotten', async t => {
  const { codeFor } = build({ '1': 'a', '2': 'b', '3': 'a' }, { owners: createMemoryUidOwners(250) })
  t.equal(await codeFor('1'), 'a')
  t.equal(await codeFor('2'), 'store-unavailable')
  t.equal(await codeFor('3'), 'identity-unmappable')
  t.equal(await codeFor('1'), 'a')
})

t.test('a table over several processes: the owner that one has seen is the owner in the other', async t => {
  const owners = createMemoryUidOwners()
  const one = build({ '17': 'alice', '18': 'alice' }, { owners })
  const other = build({ '17': 'alice', '18': 'alice' }, { owners })
  t.equal(await one.codeFor('17'), 'alice')
  t.equal(await other.codeFor('18'), 'identity-unmappable')
  other.world.table = { '18': 'alice' }
  other.world.monotonicMs = 60_000
  t.equal(await other.codeFor('18'), 'alice', 'the table has taken it from its owner')
})

t.test('UID_STRIP takes its prefix from what the table is asked about, and refuses who lacks it', async t => {
  const owners = createMemoryUidOwners()
  const asked: string[] = []
  const lookUp = async ({ subject }: TableKey) => {
    asked.push(subject)
    return 'alice'
  }
  const clock = { monotonic: () => 0 }
  const uidOf = createTableUidMap({ clock, ttlMs: 0, emit: () => undefined, owners, lookUp, strip: 'auth0|' })
  t.equal(await uidOf({ issuer: ISSUER, subject: 'auth0|17' }), 'alice')
  await t.rejects(Promise.resolve(uidOf({ issuer: ISSUER, subject: '17' })), {
    code: 'identity-unmappable',
    options: { reason: 'uid-form' }
  })
  t.same(asked, ['17'])
})

t.test('a UID follows when the app gives it to somebody else', async t => {
  const { world, codeFor } = build({ '17': 'alice' })
  t.equal(await codeFor('17'), 'alice')
  world.table = { '18': 'alice' }
  world.monotonicMs = 60_000

  t.equal(await codeFor('18'), 'alice')
  t.equal(await codeFor('17'), 'identity-unmappable')
  t.strictSame(world.alarms, [])
})

t.test('a file is a JSON object, or lines that may name an issuer', async t => {
  const object = parseUidTable('{"17": "alice", "__proto__": "bob"}', false)
  t.equal(findUid(object, { issuer: 'any', subject: '17' }), 'alice')
  t.equal(findUid(object, { issuer: 'any', subject: '__proto__' }), 'bob')
  t.equal(findUid(object, { issuer: 'any', subject: 'toString' }), undefined)

  const lines = parseUidTable('{"subject":"17","uid":"a"}\r\n\n{"subject":"17","uid":"b","issuer":"x"}\n', true)
  t.equal(findUid(lines, { issuer: 'x', subject: '17' }), 'b')
  t.equal(findUid(lines, { issuer: 'y', subject: '17' }), 'a')
})

t.test('a wrong file is refused by the number of its row, without its names', async t => {
  const row = (subject: unknown, uid: unknown): string => JSON.stringify({ subject, uid })
  const cases: [text: string, isLines: boolean, problem: string][] = [
    ['{"secret-1": "alice", "secret-2": "alice"}', false, 'rows 1 and 2 give two users the same UID'],
    [`${row('secret-1', 'alice')}\n${row('secret-2', 'alice')}`, true, 'rows 1 and 2 give two users the same UID'],
    [`${row('secret-1', 'alice')}\n${row('secret-1', 'bob')}`, true, 'row 2 repeats a user'],
    ['{"secret-1": "Secret"}', false, 'the UID of row 1 is not valid'],
    ['{"secret-1": "app_system"}', false, 'the UID of row 1 is not valid'],
    ['{"secret-1": 7}', false, 'the UID of row 1 is not valid'],
    [row('', 'alice'), true, 'row 1 has no subject'],
    ['{"uid": "alice", "subject": "17", "issuer": 7}', true, 'the issuer of row 1 is not a text'],
    ['["secret-1"]', false, 'it must be a JSON object'],
    ['secret', false, 'it must be a JSON object'],
    [`${row('17', 'alice')}\nsecret`, true, 'row 2 is not a JSON object']
  ]
  for (const [text, isLines, problem] of cases) t.match(messageOf(t, text, isLines), problem)
})

function messageOf(t: Test, text: string, isLines: boolean): string {
  try {
    parseUidTable(text, isLines)
    return 'no problem'
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    t.notMatch(message, /secret/i)
    return message
  }
}

t.test('a subject stays inside its place in the URL', async t => {
  const subjects = ['a/b', '../x', 'a?b#c', '%2e%2e', 'a b', 'ä', '{issuer}', '$&', 'a\\b', '@evil.test']
  for (const subject of subjects) {
    const url = new URL(tableUrl('https://app.test/uids/{subject}/x', { issuer: '{subject}', subject }))
    t.equal(url.origin, 'https://app.test')
    t.equal(decodeURIComponent(url.pathname), `/uids/${subject}/x`)
    t.equal(url.search + url.hash, '')
  }
  t.equal(tableUrl('/{issuer}?s={subject}', { issuer: '{subject}', subject: 'a' }), '/%7Bsubject%7D?s=a')
})

t.test('a path of dots is nobody, and nobody is asked about it', async t => {
  const lookUp = createUrlLookup('https://app.test/uids/{subject}', undefined, async () => t.fail('nobody is asked'))
  for (const subject of ['.', '..']) t.equal(await lookUp({ issuer: ISSUER, subject }), undefined)
})

t.test('the app answers with a UID, with 404, or not at all', async t => {
  const answers: [answer: unknown, uid: string | undefined | Error][] = [
    [{ uid: 'alice', more: 1 }, 'alice'],
    [new UnexpectedStatus(404), undefined],
    [new UnexpectedStatus(500), new Error('answered 500')],
    [new UnexpectedStatus(204), new Error('answered 204')],
    [{ uid: null }, new Error('an answer without a uid')],
    [['alice'], new Error('an answer without a uid')],
    [null, new Error('an answer without a uid')]
  ]
  for (const [answer, expected] of answers) {
    const lookUp = createUrlLookup('https://app.test/{subject}', undefined, async () => {
      if (answer instanceof Error) throw answer
      return answer
    })
    const asked = lookUp({ issuer: ISSUER, subject: '17' })
    if (expected instanceof Error) await t.rejects(asked, { message: expected.message })
    else t.equal(await asked, expected)
  }
})
