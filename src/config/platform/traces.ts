import { parseUrl } from '../../lib/node20/parse-url.ts'
import { Secret } from '../../lib/secret.ts'
import type { EnvReader } from '../env-reader.ts'

export type SamplerName =
  | 'always_on'
  | 'always_off'
  | 'traceidratio'
  | 'parentbased_always_on'
  | 'parentbased_always_off'
  | 'parentbased_traceidratio'

export interface TracesConfig {
  /** Where spans go, complete. */
  readonly url: string
  /** Headers of the receiver, which may be credentials; by their name. */
  readonly headers: ReadonlyMap<string, Secret>
  readonly timeoutMs: number
  readonly compression: 'none' | 'gzip'
  readonly sampler: SamplerName
  /** From 0 to 1, of the samplers by ratio. */
  readonly ratio: number
  readonly serviceName: string
  readonly resource: Readonly<Record<string, string>>
  /** Whether the caller's context is the parent of ours, or only linked to. */
  readonly trust: 'link' | 'parent'
  /** What is set and counts in another way, for the operator. */
  readonly warnings: readonly string[]
}

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT'
const TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
const HEADERS = 'OTEL_EXPORTER_OTLP_HEADERS'
const PROTOCOL = 'OTEL_EXPORTER_OTLP_PROTOCOL'
const SAMPLERS = [
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'always_on',
  'always_off',
  'traceidratio'
] as const
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const HEADER_VALUE = /^[\x20-\x7e]*$/

/**
 * The variables of OpenTelemetry that count here (opentelemetry.io/docs/specs/otel: SDK environment variables, OTLP
 * exporter); undefined without an endpoint, and then none of them is looked at.
 */
export function loadTracesConfig(reader: EnvReader): TracesConfig | undefined {
  const trust = reader.choice('TRACE_TRUST', 'link', ['link', 'parent'])
  if (!reader.has(ENDPOINT) && !reader.has(TRACES_ENDPOINT)) return undefined
  const url = reader.has(TRACES_ENDPOINT) ? receiver(reader, TRACES_ENDPOINT) : tracesBelow(receiver(reader, ENDPOINT))
  const config = {
    headers: headersOf(reader),
    timeoutMs: reader.integer('OTEL_EXPORTER_OTLP_TIMEOUT', 10_000, [1, 60_000]),
    compression: reader.choice('OTEL_EXPORTER_OTLP_COMPRESSION', 'none', ['none', 'gzip']),
    sampler: reader.choice('OTEL_TRACES_SAMPLER', 'parentbased_always_on', SAMPLERS),
    ratio: ratioOf(reader),
    serviceName: reader.text('OTEL_SERVICE_NAME', /^.{1,255}$/, 'a name of at most 255 characters') ?? '',
    resource: resourceOf(reader),
    trust,
    warnings: protocolWarnings(reader)
  }
  const isDisabled = reader.choice('OTEL_SDK_DISABLED', 'false', ['false', 'true']) === 'true'
  if (!url || isDisabled) return undefined
  const serviceName = config.serviceName || config.resource['service.name'] || 'thread-reply-bff'
  return { ...config, serviceName, url: url.href }
}

/** A receiver beside a service is asked over plain http in most places; a hazard says what that means for headers. */
function receiver(reader: EnvReader, name: string): URL | undefined {
  if (reader.refuseAddresses(name)) return undefined
  const url = parseUrl(reader.text(name, /^\S+$/, 'a URL') ?? '')
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.hash) return url
  return reader.isRefused(name)
    ? undefined
    : reader.refuse(`${name} must be a plain URL of a receiver by http, such as http://localhost:4318.`)
}

function tracesBelow(base: URL | undefined): URL | undefined {
  if (base) base.pathname = `${base.pathname.replace(/\/$/, '')}/v1/traces`
  return base
}

function protocolWarnings(reader: EnvReader): string[] {
  const protocol = reader.choice(PROTOCOL, 'http/json', ['http/json', 'http/protobuf', 'grpc'])
  if (protocol === 'grpc') {
    reader.refuse(
      `${PROTOCOL} must be http/json: spans are not sent by gRPC; its receivers listen at port 4318 for http.`
    )
  }
  return protocol === 'http/protobuf' ? [`${PROTOCOL} is http/protobuf: spans are sent as http/json all the same.`] : []
}

function ratioOf(reader: EnvReader): number {
  const text = reader.text(
    'OTEL_TRACES_SAMPLER_ARG',
    /^(0|1|0?\.\d{1,18}|[01]\.0{1,18}|0\.\d{1,18})$/,
    'a number from 0 to 1'
  )
  return text === undefined ? 1 : Number(text)
}

function headersOf(reader: EnvReader): ReadonlyMap<string, Secret> {
  const pairs = pairsIn(reader, HEADERS, reader.secretText(HEADERS)?.text ?? '')
  const isFine = pairs.every(([name, value]) => HEADER_NAME.test(name) && HEADER_VALUE.test(value))
  if (!isFine) reader.refuse(`${HEADERS} must hold name=value pairs that headers can carry, comma-separated.`)
  return new Map(pairs.map(([name, value]) => [name, new Secret(value)]))
}

function resourceOf(reader: EnvReader): Record<string, string> {
  const name = 'OTEL_RESOURCE_ATTRIBUTES'
  return Object.fromEntries(pairsIn(reader, name, reader.text(name, /^[\s\S]*$/, '') ?? ''))
}

/** `name=value,name=value`, percent-encoded (the form of W3C Baggage, as the specification has it). */
function pairsIn(reader: EnvReader, variable: string, text: string): [string, string][] {
  const pairs = text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
    .map(item => /^([^=]+)=(.*)$/s.exec(item))
  try {
    return pairs.map(pair => {
      if (!pair) throw new URIError('no pair')
      return [decodeURIComponent(pair[1] ?? '').trim(), decodeURIComponent(pair[2] ?? '').trim()]
    })
  } catch {
    reader.refuse(`${variable} must be name=value pairs, comma-separated and percent-encoded.`)
    return []
  }
}
