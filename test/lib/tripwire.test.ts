import t from 'tap'
import { Secret } from '../../src/lib/secret.ts'
import { type StoppedSecret, Tripwire } from '../../src/lib/tripwire/tripwire.ts'
import type { ServiceEvent } from '../../src/observability/events.ts'
import { tellOfSecrets } from '../../src/parts/watched-secrets.ts'
import { formsOf } from '../helpers/leaks.ts'

const KEY = '0c1f5e6a7b8d9e0f1a2b3c4d5e6f708192a3b4c5'
const NEXT = 'f'.repeat(40)

function open() {
  const tripwire = new Tripwire()
  tripwire.watch('COMETCHAT_API_KEY', [new Secret(KEY)])
  return tripwire
}

t.test('after a rotation the former key is looked for as well as the new one', async t => {
  const tripwire = open()
  t.equal(tripwire.cut(`${KEY} ${NEXT}`, 'log'), `[removed] ${NEXT}`)
  tripwire.watch('COMETCHAT_API_KEY', [new Secret(NEXT)])
  t.equal(tripwire.cut(`${KEY} ${NEXT}`, 'log'), '[removed] [removed]')
  for (let time = 0; time < 30; time++) tripwire.watch('COMETCHAT_API_KEY', [new Secret(`${time}`.padStart(40, 'x'))])
  t.equal(tripwire.cut('29'.padStart(40, 'x'), 'log'), '[removed]')
  t.equal(tripwire.cut(KEY, 'log'), KEY, 'a bounded number of them')
})

t.test('a secret in two pieces of one text is found, wherever it is cut, and no piece waits without need', async t => {
  const tripwire = open()
  for (const [form, spelled] of Object.entries(formsOf(KEY))) {
    if (form === 'reversed') continue
    const missed: number[] = []
    for (let cut = 0; cut <= spelled.length; cut++) {
      const text = tripwire.inPieces('answer')
      const left = [
        text.next(`before ${spelled.slice(0, cut)}`),
        text.next(`${spelled.slice(cut)} behind\n`),
        text.rest()
      ]
      if (left.join('') !== 'before [removed] behind\n') missed.push(cut)
    }
    t.same(missed, [], form)
  }
  const text = tripwire.inPieces('answer')
  t.equal(text.next('data: hello\n\n'), 'data: hello\n\n', 'at once')
  t.equal(text.next('data: 0c1f'), 'data: ', 'but for what may go on')
  t.equal(text.next('xx'), '0c1fxx')
  t.equal(text.next('x0c'), 'x')
  t.equal(text.rest(), '0c', 'which is told at the end')
})

t.test('what was stopped before there was somebody to tell is told then', async t => {
  const tripwire = open()
  const told: StoppedSecret[] = []
  tripwire.cut(KEY, 'log')
  tripwire.listen(stopped => void told.push(stopped))
  tripwire.cut(KEY, 'answer')
  t.same(told, [
    { exit: 'log', variable: 'COMETCHAT_API_KEY' },
    { exit: 'answer', variable: 'COMETCHAT_API_KEY' }
  ])
})

t.test('each is an event for whatever counts; an alarm comes once an hour for each way out', async t => {
  const tripwire = open()
  const events: ServiceEvent[] = []
  let nowMs = 0
  tellOfSecrets(
    tripwire,
    event => events.push(event),
    () => nowMs
  )
  const alarms = () => events.filter(({ name }) => name === 'alarm')
  for (let time = 0; time < 3; time++) tripwire.cut(KEY, 'log')
  tripwire.cut(KEY, 'audit')
  t.equal(events.filter(({ name }) => name === 'secret-stopped').length, 4)
  const alarm = { name: 'alarm', alarm: 'secret-leak', variable: 'COMETCHAT_API_KEY' }
  t.same(alarms(), [
    { ...alarm, exit: 'log', times: 1 },
    { ...alarm, exit: 'audit', times: 1 }
  ])
  nowMs = 3_600_000
  tripwire.cut(KEY, 'log')
  t.same(alarms().at(-1), { ...alarm, exit: 'log', times: 3 }, 'with how often it happened')
  t.notOk(JSON.stringify(events).includes(KEY))
})
