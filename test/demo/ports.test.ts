import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { choosePorts, takenNote } from '../../demo/ports.ts'
import { freePorts } from '../helpers/free-port.ts'

const ABOVE = 4

t.test('the ports are the same from one start to the next', async t => {
  const first = await freePorts(ABOVE)

  const chosen = await choosePorts(first)

  t.match(chosen, {
    service: { port: first },
    probes: { port: first + 1 },
    page: { port: first + 2 },
    'sign-in': { port: first + 3 },
    CometChat: { port: first + ABOVE }
  })
  t.same(await choosePorts(first), chosen)
  t.equal(takenNote(chosen.page), '')
})

t.test('a free port stands in for one that is taken, and is told; the others stay', async t => {
  const first = await freePorts(ABOVE)
  const holder = createServer().listen(first, '127.0.0.1')
  await once(holder, 'listening')
  t.teardown(() => void holder.close())

  const { service, CometChat } = await choosePorts(first)

  t.not(service.port, first)
  t.equal(takenNote(service), ` (${first} is taken)`)
  t.equal(CometChat.port, first + ABOVE)
})

t.test('with 0, and above the last port, free ones are taken and nothing is told', async t => {
  const any = await choosePorts(0)
  const last = await choosePorts(65_535)

  t.equal(new Set(Object.values(any).map(({ port }) => port)).size, ABOVE + 1)
  for (const chosen of [any.service, any.page, last.page]) {
    t.ok(chosen.port > 0)
    t.equal(takenNote(chosen), '')
  }
})
