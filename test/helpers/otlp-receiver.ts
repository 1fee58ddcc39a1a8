// A receiver of OTLP by http, which judges what it gets by the official schema (test/contract/otlp).
import { deepStrictEqual } from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import type { Test } from 'tap'
import { type JsonServer, startJsonServer } from './json-server.ts'
import { until } from './until.ts'

const PROTOS = fileURLToPath(new URL('../contract/otlp/', import.meta.url))
const root = new protobuf.Root()
root.resolvePath = (_origin, target) => PROTOS + target
root.loadSync('opentelemetry/proto/collector/trace/v1/trace_service.proto')
const ExportTraceServiceRequest = root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest')

type Value = string | number | boolean

export interface ReceivedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number
  readonly beganAtNs: bigint
  readonly endedAtNs: bigint
  readonly attributes: Readonly<Record<string, Value>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  /** 2 is an error. */
  readonly status: number
  readonly resource: Readonly<Record<string, Value>>
}

export interface OtlpReceiver extends Pick<JsonServer, 'url' | 'asked' | 'answer' | 'answerWith' | 'stop'> {
  spans(): readonly ReceivedSpan[]
  /** Resolves with all spans once there are some that fit. */
  spansWhere(fits: (span: ReceivedSpan) => boolean, count?: number): Promise<readonly ReceivedSpan[]>
}

export async function startOtlpReceiver(t: Test): Promise<OtlpReceiver> {
  const server = await startJsonServer(t, {})
  const spans = (): readonly ReceivedSpan[] => server.asked.flatMap(({ body }) => spansIn(JSON.parse(body)))
  return {
    ...server,
    spans,
    async spansWhere(fits, count = 1) {
      return until(
        async () => spans(),
        found => found.filter(fits).length >= count,
        20_000
      )
    }
  }
}

type Json = { readonly [name: string]: unknown }
const IDS = new Set(['traceId', 'spanId', 'parentSpanId'])

/** Throws where the schema knows a member otherwise, or not at all. */
function spansIn(request: Json): ReceivedSpan[] {
  const plain = asProtobufJson(request) as Json
  const fault = ExportTraceServiceRequest.verify(ExportTraceServiceRequest.fromObject(plain))
  if (fault !== null) throw new Error(fault)
  const read = ExportTraceServiceRequest.toObject(ExportTraceServiceRequest.fromObject(plain), {
    longs: String,
    bytes: String
  })
  deepStrictEqual(read, plain)
  return (request['resourceSpans'] as Json[]).flatMap(({ resource, scopeSpans }) =>
    (scopeSpans as Json[]).flatMap(({ spans }) => (spans as Json[]).map(span => spanFrom(span, resource as Json)))
  )
}

/** OTLP's JSON has ids in hexadecimal digits, and may have 64-bit integers as numbers (OTLP 1, JSON Protobuf Encoding). */
function asProtobufJson(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map(item => asProtobufJson(item))
  if (typeof value === 'object' && value !== null) {
    // An empty list, and a zero, are nothing on the wire.
    const members = Object.entries(value).filter(
      ([, item]) => item !== 0 && !(Array.isArray(item) && item.length === 0)
    )
    return Object.fromEntries(members.map(([key, item]) => [key, asProtobufJson(item, key)]))
  }
  if (name === 'intValue') return String(value)
  return typeof value === 'string' && IDS.has(name) ? Buffer.from(value, 'hex').toString('base64') : value
}

function spanFrom(span: Json, resource: Json): ReceivedSpan {
  const { name, traceId, spanId, parentSpanId, kind, startTimeUnixNano, endTimeUnixNano, attributes, links, status } =
    span
  return {
    name: String(name),
    traceId: String(traceId),
    spanId: String(spanId),
    ...(parentSpanId !== undefined && { parentSpanId: String(parentSpanId) }),
    kind: Number(kind),
    beganAtNs: BigInt(String(startTimeUnixNano)),
    endedAtNs: BigInt(String(endTimeUnixNano)),
    attributes: valuesOf(attributes),
    links: ((links ?? []) as ReceivedSpan['links']).map(link => ({ traceId: link.traceId, spanId: link.spanId })),
    status: Number((status as Json | undefined)?.['code'] ?? 0),
    resource: valuesOf(resource['attributes'])
  }
}

function valuesOf(attributes: unknown): Record<string, Value> {
  const pairs = (attributes ?? []) as { readonly key: string; readonly value: Readonly<Record<string, Value>> }[]
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0] ?? '']))
}
