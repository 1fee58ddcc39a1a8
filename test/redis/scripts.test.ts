// How scripts reach Redis: on a client that only notes what it is told.
import type { Redis } from 'ioredis'
import t from 'tap'
import { SCRIPTS } from '../../src/delivery/stores/redis/scripts.ts'
import { RedisCommands } from '../../src/redis/scripts.ts'

interface Told {
  readonly noted: string[]
  /** Answers from now on, first one first; then lists. */
  readonly answers: (() => unknown)[]
  readonly commands: RedisCommands
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
    commands: new RedisCommands(client as unknown as Redis),
    reconnect() {
      client.stream = newStream()
    }
  }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('what is said in one turn goes out in one write, and only that', async t => {
  const { noted, commands } = createTold()
  await commands.run(SCRIPTS.release, 'a', ['x'])
  await turn()
  noted.length = 0

  await Promise.all(['a', 'b', 'c'].map(key => commands.run(SCRIPTS.release, key, ['x', 1])))
  t.same(noted, ['cork', 'evalsha a x 1', 'evalsha b x 1', 'evalsha c x 1'])
  await turn()
  t.equal(noted.at(-1), 'uncork')
  await commands.run(SCRIPTS.release, 'd', [])
  await turn()
  t.same(noted.slice(5), ['cork', 'evalsha d', 'uncork'])
})

t.test('each connection is told the text of a script once', async t => {
  const { noted, commands, reconnect } = createTold()
  const run = async () => {
    await commands.run(SCRIPTS.doubt, 'a', [])
    await turn()
  }

  await run()
  await run()
  reconnect()
  await run()
  t.same(
    noted.filter(what => what.startsWith('eval')),
    ['eval a', 'evalsha a', 'eval a']
  )
})

t.test('a connection that is lost in the middle of a turn does not hold back what follows', async t => {
  const { noted, commands, reconnect } = createTold()
  await commands.run(SCRIPTS.doubt, 'a', [])
  reconnect()
  await commands.run(SCRIPTS.doubt, 'b', [])
  await turn()

  t.same(noted, ['cork', 'eval a', 'cork', 'eval b', 'uncork', 'uncork'], 'each of the two is let go')
})

t.test('a script that Redis has forgotten is told again, and no other failure is', async t => {
  const { noted, answers, commands } = createTold()
  const failing = (message: string) => () => Promise.reject(new Error(message))
  await commands.run(SCRIPTS.finish, 'a', [])
  noted.length = 0

  answers.push(failing('NOSCRIPT No matching script.'), () => ['no'])
  t.same(await commands.run(SCRIPTS.finish, 'a', []), ['no'])
  answers.push(failing('Command timed out'))
  await t.rejects(commands.run(SCRIPTS.finish, 'b', []), { message: 'Command timed out' })
  answers.push(() => 'OK')
  await t.rejects(commands.run(SCRIPTS.finish, 'c', []), { message: 'not an answer of these scripts' })

  t.same(
    noted.filter(what => what.startsWith('eval')),
    ['evalsha a', 'eval a', 'evalsha b', 'evalsha c']
  )
})
