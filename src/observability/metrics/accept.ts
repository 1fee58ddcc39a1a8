import { asciiLowerCase, trimBlanks } from '../../lib/ascii.ts'

export type Format = 'openmetrics' | 'prometheus'

/** One element of `Accept` (RFC 9110 §12.5.1). */
interface MediaRange {
  readonly type: string
  readonly version: string | undefined
  readonly quality: number
}

const TYPES: Readonly<Record<Format, { readonly type: string; readonly version: string }>> = {
  openmetrics: { type: 'application/openmetrics-text', version: '1.0.0' },
  prometheus: { type: 'text/plain', version: '0.0.4' }
}
const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/**
 * What a scraper wants to read. OpenMetrics has to be asked for, and to be wanted at least as much as the Prometheus
 * text, which is told to everybody else, whatever they ask for.
 */
export function formatFor(accept: string | undefined): Format {
  const ranges = (accept ?? '').split(',').flatMap(rangeIn)
  const wanted = qualityOf('openmetrics', ranges)
  return wanted > 0 && wanted >= qualityOf('prometheus', ranges) && isNamed(ranges) ? 'openmetrics' : 'prometheus'
}

/** None for an element whose quality is malformed: the others count. A malformed type is simply another one. */
function rangeIn(element: string): MediaRange[] {
  const [type = '', ...parameters] = element.split(';').map(part => asciiLowerCase(trimBlanks(part)))
  const parameterOf = (name: string): string | undefined =>
    parameters.find(parameter => parameter.startsWith(`${name}=`))?.slice(name.length + 1)
  const quality = parameterOf('q') ?? '1'
  const version = parameterOf('version')?.replace(/^"(.*)"$/, '$1')
  return QUALITY.test(quality) ? [{ type, version, quality: Number(quality) }] : []
}

/** By the range that says most of it; of several that say as much the best counts. */
function qualityOf(format: Format, ranges: readonly MediaRange[]): number {
  const { type, version } = TYPES[format]
  const [family] = type.split('/')
  const byDetail = [
    ranges.filter(range => range.type === type && range.version === version),
    ranges.filter(range => range.type === type && range.version === undefined),
    ranges.filter(range => range.type === `${family}/*`),
    ranges.filter(range => range.type === '*/*')
  ]
  const [most = []] = byDetail.filter(found => found.length > 0)
  return Math.max(0, ...most.map(({ quality }) => quality))
}

/** A wildcard asks for nothing in particular. */
function isNamed(ranges: readonly MediaRange[]): boolean {
  const wanted = TYPES.openmetrics
  return ranges.some(({ type, version = wanted.version }) => type === wanted.type && version === wanted.version)
}
