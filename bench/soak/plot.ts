// What a soak has shown, as a picture: three lines over time, without a library.
import { svgOf } from '../svg.ts'
import type { Stretch } from './figures.ts'

const WIDTH = 860
const LEFT = 70
const RIGHT = 20
const TOP = 44
const ROW_HEIGHT = 130
const ROW_GAP = 36

interface Line {
  readonly title: string
  readonly of: (stretch: Stretch) => number
}

const LINES: readonly Line[] = [
  { title: 'resident, MiB', of: ({ residentMiB }) => residentMiB },
  { title: 'p99 of an answer, ms', of: ({ p99Ms }) => p99Ms },
  { title: 'CPU of a reply, µs', of: ({ cpuMicroseconds }) => cpuMicroseconds }
]

/** An SVG; each line begins at 0, so that what grows is seen for what it is. */
export function plotOf(stretches: readonly Stretch[], title: string): string {
  const height = TOP + LINES.length * (ROW_HEIGHT + ROW_GAP)
  const endSeconds = stretches.at(-1)?.atSeconds ?? 1
  const rows = LINES.map((line, index) => rowOf(line, stretches, endSeconds, TOP + index * (ROW_HEIGHT + ROW_GAP)))
  return svgOf(title, rows, WIDTH, height)
}

function rowOf({ title, of }: Line, stretches: readonly Stretch[], endSeconds: number, top: number): string {
  const most = Math.max(1, ...stretches.map(of)) * 1.1
  const bottom = top + ROW_HEIGHT
  const x = (seconds: number): string => (LEFT + (seconds / endSeconds) * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const y = (value: number): string => (bottom - (value / most) * (ROW_HEIGHT - 16)).toFixed(1)
  const points = stretches.map(stretch => `${x(stretch.atSeconds)},${y(of(stretch))}`).join(' ')
  return [
    `<text x="${LEFT}" y="${top + 8}" font-weight="bold">${title}</text>`,
    ...[0, most / 2.2, most / 1.1].map(
      value =>
        `<line x1="${LEFT}" y1="${y(value)}" x2="${WIDTH - RIGHT}" y2="${y(value)}" stroke="#d8dee4"/>` +
        `<text x="${LEFT - 8}" y="${Number(y(value)) + 4}" text-anchor="end">${value.toPrecision(3)}</text>`
    ),
    `<polyline points="${points}" fill="none" stroke="#1f6feb" stroke-width="1.5"/>`,
    `<text x="${LEFT}" y="${bottom + 16}">0 s</text>`,
    `<text x="${WIDTH - RIGHT}" y="${bottom + 16}" text-anchor="end">${endSeconds.toFixed(0)} s</text>`
  ].join('\n')
}
