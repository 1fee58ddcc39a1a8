// The types of what a host says; they are packed, and lead to no others of the service.
import type { VariableName } from '../config/variables.ts'

/** A host listens, logs, traces and ends by itself. Values that its environment has for these are its own. */
export const OF_HOST = [
  'HOST',
  'PORT',
  'ADMIN_HOST',
  'ADMIN_PORT',
  'BUILD_COMMIT',
  'DRAIN_DELAY_MS',
  'INSTANCE_NAME',
  'KEEP_ALIVE_TIMEOUT_MS',
  'LOG_LEVEL',
  'OPENAPI',
  'MAX_CONNECTIONS',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_HEADERS_FILE',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_EXPORTER_OTLP_COMPRESSION',
  'OTEL_EXPORTER_OTLP_TIMEOUT',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
  'OTEL_SDK_DISABLED',
  'TRACE_TRUST'
] as const satisfies readonly VariableName[]

/** The variables that say something of replies. */
export type SettingName = Exclude<VariableName, (typeof OF_HOST)[number]>

/** As the variable would be written, or as JavaScript has it: a list for commas, `true` for `on`. */
export type SettingValue = string | number | boolean | readonly string[] | undefined

/** The variables of README.md by their names; an environment can be handed over whole. */
export type ThreadRepliesSettings = { readonly [Name in SettingName]?: SettingValue }
