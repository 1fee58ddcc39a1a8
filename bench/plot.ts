// A bar chart without a library: a few rectangles and texts.
import { escaped, svgOf } from './svg.ts'

export interface Bar {
  readonly label: string
  readonly value: number
  readonly note: string
  readonly isOurs: boolean
}

const WIDTH = 860
const LABEL_WIDTH = 350
const BAR_HEIGHT = 22
const GAP = 8
const TOP = 48
const NOTE_WIDTH = 150

/** An SVG with one bar a program, the shortest first. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const sorted = bars.toSorted((a, b) => a.value - b.value)
  const perUnit = (WIDTH - LABEL_WIDTH - NOTE_WIDTH) / Math.max(...sorted.map(({ value }) => value))
  const height = TOP + sorted.length * (BAR_HEIGHT + GAP)
  const rows = sorted.map(({ label, value, note, isOurs }, index) => {
    const y = TOP + index * (BAR_HEIGHT + GAP)
    const middle = y + BAR_HEIGHT / 2 + 5
    const width = Math.max(1, value * perUnit)
    return [
      `<text x="${LABEL_WIDTH - 10}" y="${middle}" text-anchor="end"${isOurs ? ' font-weight="bold"' : ''}>${escaped(label)}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" fill="${isOurs ? '#1f6feb' : '#9aa4b1'}"/>`,
      `<text x="${(LABEL_WIDTH + width + 8).toFixed(1)}" y="${middle}">${escaped(note)}</text>`
    ].join('\n')
  })
  return svgOf(title, rows, WIDTH, height)
}
