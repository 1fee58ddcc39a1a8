// Other processes, as Linux shows them. Each may end between two looks: what is gone shows nothing, and is no error.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

interface Stat {
  /** A letter of proc(5): Z is dead, and stays until its parent has looked at it. Empty where it is gone. */
  readonly state: string
  readonly parent: number
}

/** The ids of what a process has started. */
export function childrenOf(pid: number | undefined): number[] {
  return readdirSync('/proc').flatMap(name => (pid !== undefined && statOf(name).parent === pid ? [Number(name)] : []))
}

export function isRunning(pid: number): boolean {
  return !['', 'Z'].includes(statOf(String(pid)).state)
}

/** What its descriptors stand for: paths, `socket:[inode]`. */
export function openFilesOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`
  const names = unlessGone(() => readdirSync(directory)) ?? []
  return names.flatMap(name => unlessGone(() => readlinkSync(`${directory}/${name}`)) ?? [])
}

function statOf(name: string): Stat {
  const stat = unlessGone(() => readFileSync(`/proc/${name}/stat`, 'utf8')) ?? ''
  const [, state = '', parent] = /\) (\w) (\d+)/.exec(stat) ?? []
  return { state, parent: Number(parent ?? 0) }
}

/** `/proc` says ENOENT or ESRCH of a process or a thread that ends while it is looked at. */
export function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return
  }
}
