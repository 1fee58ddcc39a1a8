export interface Cost {
  readonly file: string
  readonly seconds: number
  readonly cpuSeconds: number
}

const SHOWN = 40

/** A table of the files that cost most, by processor time: on a machine that is busy all the time it is what a run takes. */
export function slowestOf(costs: readonly Cost[]): string {
  const rows = costs
    .toSorted((one, other) => other.cpuSeconds - one.cpuSeconds)
    .slice(0, SHOWN)
    .map(({ file, seconds, cpuSeconds }) => `# ${figure(cpuSeconds)} ${figure(seconds)}  ${file}\n`)
  const sum = (name: 'seconds' | 'cpuSeconds'): string => figure(costs.reduce((total, cost) => total + cost[name], 0))
  return `#   cpu s       s\n${rows.join('')}# ${sum('cpuSeconds')} ${sum('seconds')}  all of them\n`
}

function figure(seconds: number): string {
  return seconds.toFixed(1).padStart(7)
}
