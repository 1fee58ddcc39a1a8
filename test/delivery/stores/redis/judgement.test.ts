// Whether a Redis may have lost records, by what is known of it and of the one before: the rules as a table.
import t from 'tap'
import {
  type Judgement,
  judge,
  type LOSS_REASONS,
  type Met,
  remember,
  type ServerMemory,
  type ServerNow
} from '../../../../src/delivery/stores/redis/judgement.ts'
import type { FailoverPromise } from '../../../../src/lib/service/failover.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../fake-clock.ts'

const NOW_MS = 1_795_824_000_000

const memory: ServerMemory = {
  run: 'run-1',
  epoch: 'e1',
  formerEpochs: [],
  beat: 100,
  replicationId: 'history-1',
  loss: undefined,
  wholeFrom: [],
  isSynced: true,
  replicas: undefined,
  isCopy: true,
  isDamaged: false
}
/** What a server has loaded from its own log. */
const OWN_LOG = { isCopy: false }
const now: ServerNow = {
  run: 'run-1',
  isSynced: true,
  hasForeignHistory: false,
  replicationId: 'history-1',
  replicas: 0
}
/** What a server has that is new to this service. */
const NOTHING = { run: '', epoch: '', beat: 0, replicationId: '' }
const RESTARTED = { run: 'run-2' }
const met: Met = { metRun: 'run-1', metEpoch: 'e1', metBeat: 100 }
const newcomer: Met = { metRun: '', metEpoch: '', metBeat: 0 }
const detect: FailoverPromise = { failover: 'detect', waitReplicas: 0 }
const LOSS = { atMs: NOW_MS - HOUR_MS, mattersForMs: 2 * DAY_MS, why: 'copy' } as const

interface Row {
  readonly memory?: Partial<ServerMemory>
  readonly now?: Partial<ServerNow>
  readonly met?: Partial<Met>
  readonly promise?: Partial<FailoverPromise>
}

const AS_BEFORE: Readonly<Record<string, Row>> = {
  'the run that was met': {},
  'that, to a newcomer': { met: newcomer },
  'a server that is new, to a newcomer': { memory: NOTHING, met: newcomer },
  'that, though it was a replica once, on the word of the operator': {
    memory: NOTHING,
    now: { hasForeignHistory: true },
    met: newcomer,
    promise: { failover: 'lossless' }
  },
  'a run that was promoted long ago, and leads since': { now: { hasForeignHistory: true } },
  'a run that took another replication id when it gave up its backlog': { now: { replicationId: 'history-2' } },
  'a run whose replication id an earlier version of this service did not note': {
    memory: { replicationId: '' },
    now: { hasForeignHistory: true }
  },
  'a run of which nothing is known, because INFO is forbidden': { now: { run: '' } },
  'a run that is known for the first time': { memory: { run: '' }, met: { metRun: '?' } },
  'that, on a server that was a replica once': {
    memory: { run: '' },
    now: { hasForeignHistory: true },
    met: newcomer
  },
  'a run that has no name there, to one that met it': { memory: { run: '' } },
  'more greetings of others': { memory: { beat: 180 } },
  'a loss that was noted by another process, which began another epoch': {
    memory: { run: 'run-9', epoch: 'e9', formerEpochs: ['e0', 'e1'], loss: LOSS },
    now: { run: 'run-9' }
  },
  'a restart that another process found whole': { memory: { run: 'run-2', wholeFrom: ['run-1'] }, now: RESTARTED },
  'several of them': { memory: { run: 'run-4', wholeFrom: ['run-0', 'run-1', 'run-3'] }, now: { run: 'run-4' } }
}

const WHOLE: Readonly<Record<string, Row>> = {
  'the same server from its own log, each write on its disk before it was answered': {
    memory: OWN_LOG,
    now: RESTARTED
  },
  'that, to a newcomer': { memory: OWN_LOG, now: RESTARTED, met: newcomer },
  'that, to one that met an earlier run of the line': {
    memory: { ...OWN_LOG, run: 'run-3', wholeFrom: ['run-1'] },
    now: { run: 'run-4' }
  },
  'that, long after a loss that is noted': { memory: { ...OWN_LOG, loss: LOSS }, now: RESTARTED },
  'that, two days after its last replica was seen': {
    memory: { ...OWN_LOG, replicas: { most: 1, seenAtMs: NOW_MS - 2 * DAY_MS } },
    now: RESTARTED
  },
  'a shard that came from the run that is remembered, with everything it had': {
    now: { ...RESTARTED, movedFrom: 'run-1' }
  },
  'a promoted replica, on the word of the operator': {
    now: { ...RESTARTED, isSynced: false, hasForeignHistory: true, replicas: 2 },
    promise: { failover: 'lossless' }
  },
  'that, where as many replicas have to confirm as there were': {
    memory: { replicas: { most: 2, seenAtMs: NOW_MS } },
    now: { ...RESTARTED, replicas: 1 },
    promise: { failover: 'lossless', waitReplicas: 2 }
  }
}

const LOST: Readonly<Record<Exclude<keyof typeof LOSS_REASONS, 'clock'>, Readonly<Record<string, Row>>>> = {
  damaged: {
    'a memory that nobody can read': { memory: { isDamaged: true } },
    'that, to a newcomer': { memory: { isDamaged: true }, met: newcomer },
    'that, on any word': { memory: { isDamaged: true }, promise: { failover: 'lossless' } }
  },
  emptied: {
    'nothing, where there was something': { memory: NOTHING },
    'that, where INFO is forbidden': {
      memory: NOTHING,
      now: { run: '' },
      met: { metRun: '?' }
    },
    'that, on any word': { memory: NOTHING, promise: { failover: 'lossless' } },
    'what a newcomer began on the emptied server': { memory: { epoch: 'e9', beat: 3 } }
  },
  moved: {
    'a run without an epoch, to a newcomer': { memory: { run: 'moved', epoch: '', beat: 0 }, met: newcomer },
    'that, on any word': {
      memory: { run: 'moved', epoch: '', beat: 0 },
      met: newcomer,
      promise: { failover: 'lossless' }
    }
  },
  older: {
    'fewer greetings than were seen': { memory: { beat: 99 } },
    'that, from an own log in the place of it': { memory: { ...OWN_LOG, beat: 99 }, now: RESTARTED },
    'that, on any word': { memory: { beat: 99 }, promise: { failover: 'lossless' } },
    'an epoch of before the one that was met, with a loss of its own': { memory: { epoch: 'e0', loss: LOSS } },
    'that, after others have noted what they missed': {
      memory: { epoch: 'e9', formerEpochs: ['e0', 'e8'], loss: LOSS },
      now: { run: 'run-1' }
    }
  },
  blank: {
    'a replica that had received nothing, to a newcomer': {
      memory: NOTHING,
      now: { hasForeignHistory: true },
      met: newcomer
    }
  },
  copy: {
    'a promoted replica': { now: { ...RESTARTED, hasForeignHistory: true } },
    'a promoted replica, to a newcomer': { now: { ...RESTARTED, hasForeignHistory: true }, met: newcomer },
    'that, after its own restart, which hides its history': { now: RESTARTED },
    'a shard that came from another run than is remembered': { now: { ...RESTARTED, movedFrom: 'run-0' } },
    'that, where replicas confirm but the operator gives no word': { now: RESTARTED, promise: { waitReplicas: 1 } },
    'the same run, which was a replica in between': { now: { hasForeignHistory: true, replicationId: 'history-2' } },
    'that, to a newcomer': {
      now: { hasForeignHistory: true, replicationId: 'history-2' },
      met: newcomer
    },
    'the same server from a snapshot': { memory: OWN_LOG, now: { ...RESTARTED, hasForeignHistory: true } }
  },
  unsynced: {
    'appendfsync everysec before': { memory: { ...OWN_LOG, isSynced: false }, now: RESTARTED },
    'appendfsync everysec now': { memory: OWN_LOG, now: { ...RESTARTED, isSynced: false } }
  },
  replaced: {
    'a replica that was there an hour ago': {
      memory: { ...OWN_LOG, replicas: { most: 1, seenAtMs: NOW_MS - HOUR_MS } },
      now: RESTARTED
    },
    'a replica that is there now': { memory: OWN_LOG, now: { ...RESTARTED, replicas: 1 } }
  },
  stranger: {
    'back at a server after another one was met': { memory: OWN_LOG, now: RESTARTED, met: { metRun: 'run-b' } },
    'that, after somebody who missed it found the restart whole': {
      memory: { run: 'run-2', wholeFrom: ['run-1'] },
      now: RESTARTED,
      met: { metRun: 'run-b' }
    },
    'that, in the epoch that a former loss began': {
      memory: { run: 'run-2', loss: LOSS, formerEpochs: ['e0'] },
      now: RESTARTED,
      met: { metRun: 'run-b' }
    },
    'back at a server that was met, where another one is remembered': {
      memory: OWN_LOG,
      now: RESTARTED,
      met: { metRun: 'run-2' }
    }
  },
  unconfirmed: {
    'a promoted replica of more than had to confirm': {
      memory: { replicas: { most: 2, seenAtMs: NOW_MS } },
      now: RESTARTED,
      promise: { failover: 'lossless', waitReplicas: 1 }
    }
  }
}

function judged(row: Row): Judgement {
  return judge(
    { ...memory, ...row.memory },
    { ...now, ...row.now },
    { ...met, ...row.met },
    { ...detect, ...row.promise },
    NOW_MS
  )
}

for (const [judgement, rows] of [['same', AS_BEFORE], ['whole', WHOLE], ...Object.entries(LOST)] as const) {
  t.test(`is judged as ${judgement}`, async t => {
    for (const [title, row] of Object.entries(rows)) t.equal(judged(row), judgement, title)
  })
}

const told = { metEpoch: 'e1', newEpoch: 'e2', mattersForMs: 2 * DAY_MS, jumpMs: 0 }

t.test('a loss begins another epoch, is dated, and says why', async t => {
  const noted = remember({ ...memory, wholeFrom: ['run-0'] }, { ...now, ...RESTARTED }, 'copy', told, NOW_MS)
  t.match(noted, {
    run: 'run-2',
    epoch: 'e2',
    beat: 101,
    loss: { atMs: NOW_MS, mattersForMs: 2 * DAY_MS, why: 'copy' }
  })
  t.same(noted.wholeFrom, [])
  t.same(noted.formerEpochs, ['e1'])
})

t.test('with a loss end the epoch that is remembered and the one that was met', async t => {
  const formerOf = (change: Partial<ServerMemory>, judgement: Judgement, jumpMs = 0) =>
    remember({ ...memory, ...change }, now, judgement, { ...told, jumpMs }, NOW_MS).formerEpochs
  t.same(formerOf({ epoch: 'e0' }, 'older'), ['e0', 'e1'])
  t.same(formerOf({ epoch: '' }, 'emptied'), ['e1'])
  t.same(formerOf({}, 'same', HOUR_MS), ['e1'], 'with a jump of the clock, too')
  t.same(formerOf({ formerEpochs: ['e0'] }, 'same'), ['e0'])
  t.same(formerOf({ formerEpochs: ['e0'] }, 'whole'), ['e0'])
  const many = Array.from({ length: 40 }, (_, index) => `o${index}`)
  t.equal(formerOf({ formerEpochs: many }, 'copy').length, 32, 'it does not grow')
})

t.test('run and replication id are those of the last greeting, or of the last that could say', async t => {
  const noted = (change: Partial<ServerNow>) =>
    remember(memory, { ...now, run: 'run-2', replicationId: 'history-2', ...change }, 'same', told, NOW_MS)
  t.match(noted({}), { run: 'run-2', replicationId: 'history-2' })
  t.match(noted({ run: '', replicationId: '' }), { run: 'run-1', replicationId: 'history-1' })
})

t.test('what is whole stays in its epoch, and says from which run', async t => {
  const noted = remember({ ...memory, wholeFrom: ['run-0'] }, { ...now, ...RESTARTED }, 'whole', told, NOW_MS)
  t.match(noted, { run: 'run-2', epoch: 'e1', loss: undefined, wholeFrom: ['run-0', 'run-1'] })
  const many = Array.from({ length: 20 }, (_, index) => `r${index}`)
  t.equal(remember({ ...memory, wholeFrom: many }, now, 'whole', told, NOW_MS).wholeFrom.length, 8, 'it does not grow')
})

t.test('a loss that is over in its time is not made longer, and none is made shorter', async t => {
  const kept = remember({ ...memory, loss: LOSS }, now, 'same', told, NOW_MS).loss
  t.same(kept, LOSS)
  const ahead = remember({ ...memory, loss: { ...LOSS, atMs: NOW_MS + DAY_MS } }, now, 'same', told, NOW_MS)
  t.equal(ahead.loss?.atMs, NOW_MS, 'dated by a clock that was ahead')
})

t.test('a jump ahead matters for as long as it was, and shortens no loss', async t => {
  const jumped = (jumpMs: number, loss?: ServerMemory['loss']) =>
    remember({ ...memory, loss }, now, 'same', { ...told, jumpMs }, NOW_MS)
  t.match(jumped(HOUR_MS), { epoch: 'e2', loss: { atMs: NOW_MS, mattersForMs: HOUR_MS, why: 'clock' } })
  t.match(jumped(30 * DAY_MS).loss, { mattersForMs: 2 * DAY_MS })
  const before = { atMs: NOW_MS - HOUR_MS, mattersForMs: 3 * HOUR_MS, why: undefined }
  t.match(jumped(MINUTE_MS, before).loss, { mattersForMs: 2 * HOUR_MS })
})

t.test('the most replicas are remembered with the time of the last, and forgotten with a loss', async t => {
  const seen = { most: 3, seenAtMs: NOW_MS - HOUR_MS }
  const noted = (replicas: number, judgement: Judgement) =>
    remember({ ...memory, replicas: seen }, { ...now, replicas }, judgement, told, NOW_MS).replicas
  t.same(noted(0, 'same'), seen)
  t.same(noted(1, 'same'), { most: 3, seenAtMs: NOW_MS })
  t.equal(noted(0, 'copy'), undefined)
  t.same(noted(1, 'copy'), { most: 1, seenAtMs: NOW_MS })
})
