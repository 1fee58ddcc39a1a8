// How much processor time a test costs, with the processes that it has started: beside its seconds it tells work from waits.
import { readdirSync, readFileSync } from 'node:fs'
import { unlessGone } from './helpers/processes.ts'

/** Of Linux, on every machine that Node runs on. */
const TICKS_PER_SECOND = 100

/** Of this process, of those it has started, and of theirs; those that ended count once their parent has seen it. */
export function cpuSeconds(): number {
  const ofThreads = ticksOf(String(process.pid))
  if (ofThreads > 0) return ofThreads / TICKS_PER_SECOND
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** proc_pid_stat(5): utime, stime, cutime and cstime; 0 of one that is gone, and where there is no /proc. */
function ticksOf(pid: string): number {
  const stat = unlessGone(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? ''
  const fields = stat.split(') ').at(-1)?.split(' ') ?? []
  const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0)
  const threads = unlessGone(() => readdirSync(`/proc/${pid}/task`)) ?? []
  const children = threads.flatMap(thread =>
    (unlessGone(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')) ?? '').split(' ').filter(Boolean)
  )
  return children.reduce((sum, child) => sum + ticksOf(child), own)
}
