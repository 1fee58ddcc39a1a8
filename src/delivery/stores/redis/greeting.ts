import type { FailoverPromise } from '../../../lib/service/failover.ts'
import type { ScriptRunner } from '../../../redis/scripts.ts'
import type { Greeting } from '../server-run.ts'
import { judge, remember, type ServerNow } from './judgement.ts'
import { note, recall } from './memory.ts'
import type { Scripts } from './scripts.ts'
import type { Shard } from './shards.ts'

/** Each try that fails is another client's greeting that did not. */
const MAX_TRIES = 50

/** Judges what became of a shard, and writes it where everybody reads it. */
export async function greet(
  runner: ScriptRunner,
  { server, memory: key }: Shard,
  scripts: Scripts,
  now: ServerNow,
  promise: FailoverPromise
): Promise<Greeting> {
  const told = server.introduction()
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { nowMs, memory, found } = await recall(runner, scripts, key)
    const judgement = judge(memory, now, told, promise, nowMs)
    const noted = remember(memory, now, judgement, told, nowMs)
    if (!(await note(runner, scripts, key, found, noted))) continue
    const { epoch, beat, loss } = noted
    return {
      nowMs,
      lostAtMs: loss?.atMs ?? -1,
      mattersForMs: loss?.mattersForMs ?? 0,
      epoch,
      beat,
      why: loss?.why,
      isWhole: judgement === 'whole' || noted.wholeFrom.includes(told.metRun)
    }
  }
  throw new Error('others greet all the time')
}
