import { cpus, loadavg } from 'node:os'
import { CORES } from './world.ts'

/** What figures depend on, and how busy it has been in the last minute. */
export function machineLine(): string {
  const busy = loadavg()[0]?.toFixed(1)
  return `Node ${process.versions.node}, ${CORES} × ${cpus()[0]?.model.trim()}, load ${busy}.`
}
