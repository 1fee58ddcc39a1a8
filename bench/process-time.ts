import { readdirSync, readFileSync } from 'node:fs'
import { unlessGone } from '../test/helpers/processes.ts'

/** CPU time that one thread has used, in microseconds. The first thread of a process has its id. */
export function threadMicroseconds(pid: number, thread: number | string = pid): number {
  return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1000
}

/**
 * CPU time that a process, its threads and its children have used, in microseconds.
 * Read from Linux's scheduler (proc_pid_schedstat), whose figures are exact to the nanosecond; a thread that has ended
 * is not in it, so a window must not be longer than the threads live. Throws where the process itself is gone.
 */
export function cpuMicroseconds(pid: number): number {
  let microseconds = threadMicroseconds(pid)
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    // Beside the first, any of them may end between the listing and the look, and so may a child.
    if (thread !== String(pid)) microseconds += unlessGone(() => threadMicroseconds(pid, thread)) ?? 0
    const children = unlessGone(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim()) ?? ''
    for (const child of children === '' ? [] : children.split(' ')) {
      microseconds += unlessGone(() => cpuMicroseconds(Number(child))) ?? 0
    }
  }
  return microseconds
}

/** Resident memory of a process, without its children, in MiB. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024
}
