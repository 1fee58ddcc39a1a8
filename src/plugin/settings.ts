// What a host says of the plugin: the variables of the service, without those that are the host's own.
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { ConfigError } from '../config/env-reader.ts'
import { type Config, loadConfig } from '../config/load-config.ts'
import { OF_HOST, type SettingValue, type ThreadRepliesSettings } from './setting-names.ts'

/** Node has one since version 22.13. */
const HAS_SQLITE = isBuiltin('node:sqlite')

/**
 * The configuration that settings say, in a process that was started with these flags of Node.
 * Throws one ConfigError that names every mistake and shows no value.
 */
export function readSettings(
  settings: ThreadRepliesSettings,
  execArgv: readonly string[],
  hasSqlite: boolean = HAS_SQLITE
): Config {
  const given = new Map<string, SettingValue>(Object.entries(settings))
  for (const name of OF_HOST) given.delete(name)
  const env = Object.fromEntries(Array.from(given, ([name, value]) => [name, textOf(value)]))
  const flags = [env['NODE_OPTIONS'], ...execArgv].join(' ')
  const config = loadConfig({ ...env, NODE_OPTIONS: flags }, path => readFileSync(path, 'utf8'))
  if (config.delivery.store.kind === 'file' && !hasSqlite) throw new ConfigError([withoutSqlite(config)])
  return config
}

function textOf(value: SettingValue): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return typeof value === 'number' ? String(value) : value.join(',')
}

function withoutSqlite({ delivery: { directory } }: Config): string {
  const what = directory ? 'Without STORE_URL records are in a file of SQLite' : 'STORE_URL=file: is a file of SQLite'
  return `${what}, which Node ${process.versions.node} does not have (node:sqlite): set STORE_URL to redis://…, postgres://… or memory:, or run Node 24.`
}
