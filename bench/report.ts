// What a section of the bench found: a table for people, and the figures it was made of.
export interface Section {
  readonly name: string
  readonly title: string
  /** How it was measured, in a sentence or two. */
  readonly note: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly figures: unknown
}

/** A Markdown heading, its note and its table. */
export function markdownOf({ title, note, head, rows }: Section): string {
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]
  return `## ${title}\n\n${note}\n\n${lines.map(cells => `| ${cells.join(' | ')} |\n`).join('')}\n`
}

/** `1,234` or `12.3`: three digits that count. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 1 : 2)
}

/** From the least to the most. */
export function spread(values: readonly number[]): string {
  return `${number(Math.min(...values))}–${number(Math.max(...values))}`
}
