// How scripts reach Redis: on a client that only notes what it is told.
import type { Redis } from 'ioredis'
import t from 'tap'
import { ScriptRunner, script, UnknownScript } from '../../src/redis/scripts.ts'

const SCRIPT = script('return { KEYS[1] }')

interface Told {
  readonly noted: string[]
  /** Answers from now on, first one first; then lists. */
  readonly answers: (() => unknown)[]
  readonly scripts: ScriptRunner
  reconnect(): void
}

function createTold(): Told {
  const noted: string[] = []
  const answers: (() => unknown)[] = []
  const newStream = () => ({ cork: () => noted.push('cork'), uncork: () => noted.push('uncork') })
  const answer = async (what: string, args: readonly unknown[]): Promise<unknown> => {
    noted.push(`${what} ${args.slice(2).join(' ')}`)
    return (answers.shift() ?? (() => ['yes']))()
  }
  const client = {
    stream: newStream(),
    eval: (...args: unknown[]) => answer('eval', args),
    evalsha: (...args: unknown[]) => answer('evalsha', args)
  }
  return {
    noted,
    answers,
    scripts: new ScriptRunner(client as unknown as Redis),
    reconnect() {
      client.stream = newStream()
    }
  }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('what is said in one turn goes out in one write, and only that', async t => {
  const { noted, scripts } = createTold()
  await scripts.run(SCRIPT, ['a'], ['x'])
  await turn()
  noted.length = 0

  await Promise.all(['a', 'b', 'c'].map(key => scripts.run(SCRIPT, [key], ['x', 1])))
  t.same(noted, ['cork', 'evalsha a x 1', 'evalsha b x 1', 'evalsha c x 1'])
  await turn()
  t.equal(noted.at(-1), 'uncork')
  await scripts.run(SCRIPT, ['d'], [])
  await turn()
  t.same(noted.slice(5), ['cork', 'evalsha d', 'uncork'])
})

t.test('a connection that is lost in the middle of a turn does not hold back what follows', async t => {
  const { noted, scripts, reconnect } = createTold()
  await scripts.run(SCRIPT, ['a'], [])
  reconnect()
  await scripts.run(SCRIPT, ['b'], [])
  await turn()

  t.same(noted, ['cork', 'evalsha a', 'cork', 'evalsha b', 'uncork', 'uncork'], 'each of the two is let go')
})

t.test('a script that the server does not know is an error of its own, and is not told by itself', async t => {
  const { noted, answers, scripts } = createTold()
  const failing = (message: string) => () => Promise.reject(new Error(message))

  answers.push(failing('NOSCRIPT No matching script.'))
  await t.rejects(scripts.run(SCRIPT, ['a'], []), new UnknownScript('NOSCRIPT No matching script.'))
  answers.push(failing('Command timed out'))
  await t.rejects(scripts.run(SCRIPT, ['b'], []), { message: 'Command timed out' })
  answers.push(() => 'OK')
  await t.rejects(scripts.run(SCRIPT, ['c'], []), { message: 'not an answer of these scripts' })
  t.same(await scripts.runText(SCRIPT, ['d'], []), ['yes'])

  t.same(
    noted.filter(what => what.startsWith('eval')),
    ['evalsha a', 'evalsha b', 'evalsha c', 'eval d']
  )
})
