// What the table `store` has to remember of the server that holds the records, by what is known of it and of the one before.
import t from 'tap'
import {
  type Acquaintance,
  mandatoryStandbys,
  remember,
  type StoreMemory
} from '../../../../src/delivery/stores/postgres/greeting.ts'
import type { ServerFacts } from '../../../../src/postgres/server-facts.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../fake-clock.ts'

const NOW_MS = 1_795_824_000_000
const RUN = '00000001/7301'
const PROMOTED = '00000002/7301'
const RESTORED = '00000002/7302'

const memory: StoreMemory = { run: RUN, epoch: 'e1', standbys: '', loss: undefined }
const facts: ServerFacts = { run: RUN, flushedTo: '0/500', standbys: '', name: 'second', isDurable: true }
const met: Acquaintance = {
  metRun: RUN,
  metEpoch: 'e1',
  metBeat: 0,
  newEpoch: 'e2',
  mattersForMs: 2 * DAY_MS,
  jumpMs: 0,
  flushedTo: '0/500',
  standbys: ''
}
/** A process that comes anew. */
const newcomer: Acquaintance = { ...met, metRun: '', metEpoch: '', flushedTo: '0/0' }

interface Row {
  readonly memory?: Partial<StoreMemory>
  readonly facts?: Partial<ServerFacts>
  readonly met?: Acquaintance
}

const SAFE: Readonly<Record<string, Row>> = {
  'the server that was met': {},
  'the server that was met, further on': { facts: { flushedTo: '1/0' } },
  'the one that the table names, to a newcomer': { met: newcomer },
  'a table that is new': { memory: { run: '', epoch: '' }, met: newcomer },
  'a standby without which nothing was committed': {
    memory: { standbys: 'second' },
    facts: { run: PROMOTED },
    met: { ...met, standbys: 'second' }
  },
  'that, to a newcomer': { memory: { standbys: 'first,second' }, facts: { run: PROMOTED }, met: newcomer },
  'that, of which the table was told by another process before': {
    memory: { run: PROMOTED },
    facts: { run: PROMOTED },
    met: { ...met, standbys: 'first,second' }
  },
  'a run that is not asked for, because nothing can be lost': { facts: { run: '', flushedTo: '0/0' } }
}

const LOST: Readonly<Record<string, Row>> = {
  'a promoted standby': { facts: { run: PROMOTED } },
  'a promoted standby, to a newcomer': { facts: { run: PROMOTED }, met: newcomer },
  'a promoted standby that need not have confirmed': { memory: { standbys: 'first' }, facts: { run: PROMOTED } },
  'a standby of no name': { facts: { run: PROMOTED, name: '' } },
  'a standby of which this process knows that it need not have confirmed': {
    memory: { standbys: 'second' },
    facts: { run: PROMOTED }
  },
  'a restored backup that has the name of a standby': {
    memory: { standbys: 'second' },
    facts: { run: RESTORED },
    met: { ...met, standbys: 'second' }
  },
  'an older copy, whose table names another run than was met': { met: { ...met, metRun: PROMOTED } },
  'a primary that was left behind, which has noted a loss before that': {
    memory: { epoch: 'e0', loss: { atMs: NOW_MS - HOUR_MS, mattersForMs: 2 * DAY_MS } },
    met: { ...met, metRun: PROMOTED }
  },
  'an older copy of the same run': { facts: { flushedTo: '0/4FF' } },
  'an older copy of the same run, by the upper half': {
    facts: { flushedTo: '0/FFFFFFFF' },
    met: { ...met, flushedTo: '1/0' }
  },
  'a table that was emptied': { memory: { run: '', epoch: '' } },
  'a table without an epoch, however old its loss': {
    memory: { run: '', epoch: '', loss: { atMs: NOW_MS - HOUR_MS, mattersForMs: DAY_MS } }
  },
  'a table that a newcomer has begun again': { memory: { epoch: 'e9' } }
}

for (const [title, row] of Object.entries(SAFE)) {
  t.test(`${title} is no loss`, async t => {
    const kept = remember({ ...memory, ...row.memory }, { ...facts, ...row.facts }, row.met ?? met, NOW_MS)
    t.equal(kept.loss, undefined)
    t.equal(kept.epoch, row.memory?.epoch === '' ? 'e2' : 'e1')
  })
}

for (const [title, row] of Object.entries(LOST)) {
  t.test(`${title} is a loss, and begins another epoch`, async t => {
    const kept = remember({ ...memory, ...row.memory }, { ...facts, ...row.facts }, row.met ?? met, NOW_MS)
    t.match(kept, { epoch: 'e2', loss: { atMs: NOW_MS, mattersForMs: 2 * DAY_MS } })
  })
}

t.test('a loss that another process has noticed is none anew', async t => {
  const loss = { atMs: NOW_MS - HOUR_MS, mattersForMs: 2 * DAY_MS }
  const noticed: StoreMemory = { run: PROMOTED, epoch: 'e9', standbys: '', loss }
  t.equal(remember(noticed, { ...facts, run: PROMOTED }, met, NOW_MS), noticed)
})

t.test('what does not change is not written', async t => {
  t.equal(remember(memory, facts, met, NOW_MS), memory)
  t.not(remember(memory, { ...facts, standbys: 'first' }, met, NOW_MS), memory)
  t.not(remember(memory, facts, { ...met, jumpMs: 1 }, NOW_MS), memory)
})

t.test('a jump ahead matters for as long as it was, and shortens no loss', async t => {
  const jumped = (jumpMs: number, loss?: StoreMemory['loss']): StoreMemory['loss'] =>
    remember({ ...memory, loss }, facts, { ...met, jumpMs }, NOW_MS).loss
  t.same(jumped(HOUR_MS), { atMs: NOW_MS, mattersForMs: HOUR_MS })
  t.same(jumped(30 * DAY_MS), { atMs: NOW_MS, mattersForMs: 2 * DAY_MS })
  const before = { atMs: NOW_MS - HOUR_MS, mattersForMs: 3 * HOUR_MS }
  t.same(jumped(MINUTE_MS, before), { atMs: NOW_MS, mattersForMs: 2 * HOUR_MS })
  t.equal(remember(memory, facts, { ...met, jumpMs: 1 }, NOW_MS).epoch, 'e2')
})

t.test('a loss that a clock ahead has dated is as old as now', async t => {
  const loss = { atMs: NOW_MS + DAY_MS, mattersForMs: 2 * DAY_MS }
  const kept = remember({ ...memory, loss }, facts, met, NOW_MS)
  t.match(kept, { epoch: 'e1', loss: { atMs: NOW_MS, mattersForMs: 2 * DAY_MS } })
})

t.test('those standbys are mandatory of which none may be missing', async t => {
  const table: Readonly<Record<string, readonly string[]>> = {
    '': [],
    first: ['first'],
    'first, second': [],
    '1 (first)': ['first'],
    'FIRST 1 (first)': ['first'],
    'FIRST 1 (first, second)': [],
    'FIRST 2 (first, second)': ['first', 'second'],
    'any 2 (first, "second")': ['first', 'second'],
    'ANY 1 (first, second)': [],
    '*': [],
    '1 (*)': [],
    '"*"': []
  }
  for (const [setting, names] of Object.entries(table)) t.same(mandatoryStandbys(setting), names, setting)
})
