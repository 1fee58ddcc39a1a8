import t from 'tap'
import { ConfigError, type Environment, EnvReader } from '../../src/config/env-reader.ts'
import { loadTracesConfig } from '../../src/config/platform/traces.ts'

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }

function load(env: Environment) {
  const reader = new EnvReader(env, path => (path === '/run/headers' ? 'x-api-key=from-file\n' : ''))
  const traces = loadTracesConfig(reader)
  reader.finish()
  return traces
}

function problemOf(env: Environment): string {
  try {
    load({ ...ENDPOINT, ...env })
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}

t.test('without an endpoint there are no traces, and nothing else of OpenTelemetry is looked at', async t => {
  t.equal(load({}), undefined)
  t.equal(
    load({ OTEL_TRACES_SAMPLER: 'xray', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_RESOURCE_ATTRIBUTES: '=' }),
    undefined
  )
  t.equal(load({ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }), undefined)
})

t.test('an endpoint is enough', async t => {
  t.match(load(ENDPOINT), {
    url: 'http://collector:4318/v1/traces',
    timeoutMs: 10_000,
    compression: 'none',
    sampler: 'parentbased_always_on',
    ratio: 1,
    serviceName: 'thread-reply-bff',
    trust: 'link',
    warnings: []
  })
  t.equal(load({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otlp.test/base/' })?.url, 'https://otlp.test/base/v1/traces')
  const whole = { ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://otlp.test/spans?team=1' }
  t.equal(load(whole)?.url, 'https://otlp.test/spans?team=1', 'the more special one goes first, as it is')
})

t.test('what the variables say counts', async t => {
  const traces = load({
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20YTpi, x-team = chat',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.1',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=production,service.name=replies,note=a%2Cb',
    TRACE_TRUST: 'parent'
  })
  t.match(traces, {
    timeoutMs: 500,
    compression: 'gzip',
    sampler: 'parentbased_traceidratio',
    ratio: 0.1,
    trust: 'parent'
  })
  t.equal(traces?.serviceName, 'replies')
  t.equal(
    load({ ...ENDPOINT, OTEL_SERVICE_NAME: 'own', OTEL_RESOURCE_ATTRIBUTES: 'service.name=other' })?.serviceName,
    'own'
  )
  t.match(traces?.resource, { 'deployment.environment.name': 'production', note: 'a,b' })
  const headers = Array.from(traces?.headers ?? [], ([name, value]) => [name, value.reveal()])
  t.same(headers, [
    ['authorization', 'Basic YTpi'],
    ['x-team', 'chat']
  ])
  t.notMatch(JSON.stringify([...(traces?.headers ?? [])]), 'YTpi', 'they are secrets')
  const fromFile = load({ ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS_FILE: '/run/headers' })
  t.equal(fromFile?.headers.get('x-api-key')?.reveal(), 'from-file')
  for (const [ratio, expected] of [
    ['0', 0],
    ['1', 1],
    ['1.0', 1],
    ['0.25', 0.25],
    ['.5', 0.5]
  ] as const) {
    t.equal(load({ ...ENDPOINT, OTEL_TRACES_SAMPLER_ARG: ratio })?.ratio, expected, ratio)
  }
})

t.test('a protocol that is not spoken: one is refused, the other said', async t => {
  t.match(problemOf({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }), /^OTEL_EXPORTER_OTLP_PROTOCOL must be http\/json/)
  t.match(load({ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' })?.warnings, [
    /^OTEL_EXPORTER_OTLP_PROTOCOL is/
  ])
})

t.test('whatever is wrong is refused by its name, and no value is shown', async t => {
  const wrong: Environment[] = [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'c4n4ry:4318' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me:c4n4ry@collector' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://c4n4ry:4317' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4318,http://c4n4ry:4318' },
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'c4n4ry' },
    { OTEL_EXPORTER_OTLP_HEADERS: 'c4n4ry' },
    { OTEL_EXPORTER_OTLP_HEADERS: 'a=c4n4ry%' },
    { OTEL_EXPORTER_OTLP_HEADERS: 'a b=c4n4ry' },
    { OTEL_EXPORTER_OTLP_HEADERS: 'a=b%0Ac4n4ry' },
    { OTEL_EXPORTER_OTLP_TIMEOUT: 'c4n4ry' },
    { OTEL_EXPORTER_OTLP_COMPRESSION: 'c4n4ry' },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'c4n4ry' },
    { OTEL_TRACES_SAMPLER: 'c4n4ry' },
    { OTEL_TRACES_SAMPLER_ARG: '1.5' },
    { OTEL_TRACES_SAMPLER_ARG: '-0.1' },
    { OTEL_TRACES_SAMPLER_ARG: 'c4n4ry' },
    { OTEL_RESOURCE_ATTRIBUTES: 'c4n4ry' },
    { OTEL_SDK_DISABLED: 'c4n4ry' },
    { TRACE_TRUST: 'c4n4ry' }
  ]
  for (const env of wrong) {
    const problem = problemOf(env)
    const [name = ''] = Object.keys(env)
    t.ok(problem.startsWith(`${name} `), `${JSON.stringify(env)}: ${problem}`)
    t.notMatch(problem, 'c4n4ry')
  }
})
