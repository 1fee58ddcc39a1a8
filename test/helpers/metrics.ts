// What a scraper reads: the lines of /metrics as figures.

export interface Scrape {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Every figure, by its name and its labels in the order of the letters: `a_total{x="1",y="2"}`. */
  readonly figures: ReadonlyMap<string, number>
  /** The figure of exactly these labels; undefined where there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined
}

export async function scrape(adminUrl: string, accept?: string): Promise<Scrape> {
  const answer = await fetch(`${adminUrl}/metrics`, { headers: accept === undefined ? {} : { accept } })
  const text = await answer.text()
  const figures = figuresIn(text)
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    figures,
    value: (name, labels = {}) => figures.get(seriesName(name, Object.entries(labels)))
  }
}

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"/g

/** Throws for a line that is none, and for a series that is told twice. */
export function figuresIn(text: string): Map<string, number> {
  const figures = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? []
    const pairs = Array.from(labels.matchAll(LABEL), ([, label = '', text = '']) => [label, text] as const)
    const written = pairs.map(([label, text]) => `${label}="${text}"`).join(',')
    if (name === '' || written !== labels || Number.isNaN(Number(value))) throw new Error(`no line of metrics: ${line}`)
    const series = seriesName(name, pairs)
    if (figures.has(series)) throw new Error(`told twice: ${series}`)
    figures.set(series, Number(value))
  }
  return figures
}

function seriesName(name: string, labels: readonly (readonly [string, string])[]): string {
  const sorted = [...labels].sort(([one], [other]) => (one < other ? -1 : 1))
  return sorted.length === 0 ? name : `${name}{${sorted.map(([label, text]) => `${label}="${text}"`).join(',')}}`
}

/** The names of the metrics that are declared, with their types. */
export function declaredIn(text: string): Map<string, string> {
  return new Map(Array.from(text.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name = '', type = '']) => [name, type]))
}
