import type { Secret } from '../../lib/secret.ts'
import { type Environment, EnvReader } from '../env-reader.ts'

export interface AuditConfig {
  readonly mode: 'on' | 'strict'
  readonly path: string
  /** The first one seals; the others have sealed what is already there. */
  readonly secrets: readonly Secret[]
}

const PATH = /^[^\0]+$/
const SECRET_BYTES = 32
const MOST_SECRETS = 5
/** A worker does not inherit it, and holds something else there. */
const DESCRIPTOR = /^\/(dev|proc\/self)\/fd\//

/** What an audit file is verified with. Throws a ConfigError where it is missing. */
export function loadAuditSecrets(env: Environment, readFile: (path: string) => string): readonly Secret[] {
  const reader = new EnvReader(env, readFile)
  const secrets = readSecrets(reader)
  if (!secrets && !reader.isRefused('AUDIT_SECRET')) reader.refuse('AUDIT_SECRET must be set: it has sealed the lines.')
  reader.finish()
  return secrets ?? []
}

/** The audit file; undefined where there is none. */
export function loadAuditConfig(reader: EnvReader, workers: number): AuditConfig | undefined {
  const path = reader.text('AUDIT_FILE', PATH, 'the path of a file')
  const secrets = readSecrets(reader)
  const mode = reader.choice('AUDIT', path === undefined ? 'off' : 'on', ['off', 'on', 'strict'])
  if (mode === 'off') return undefined
  if (path === undefined) return reader.refuse(`AUDIT=${mode} needs AUDIT_FILE.`)
  if (workers > 1 && DESCRIPTOR.test(path)) {
    return reader.refuse(
      'AUDIT_FILE must be a path of its own where WEB_CONCURRENCY is above 1: no worker inherits a descriptor.'
    )
  }
  if (secrets) return { mode, path, secrets }
  if (reader.isRefused('AUDIT_SECRET')) return undefined
  return reader.refuse("AUDIT_FILE needs AUDIT_SECRET, which seals its lines: try 'openssl rand -base64 48'.")
}

function readSecrets(reader: EnvReader): readonly Secret[] | undefined {
  return reader.secrets('AUDIT_SECRET', SECRET_BYTES, MOST_SECRETS)?.secrets
}
