import { Secret } from '../lib/secret.ts'
import { isLinesFile, parseUidTable, tableUrl, type UidTable } from '../lib/service/uid-table.ts'
import { type EnvReader, urlFault } from './env-reader.ts'
import { CLAIM_NAME, ISSUER, PREFIX } from './patterns.ts'

/** Where the UIDs of an app's users are found. */
export type UidTableConfig =
  | { readonly kind: 'file'; readonly path: string; readonly table: UidTable }
  | { readonly kind: 'url'; readonly template: string; readonly token: Secret | undefined }

const UID_MODES = ['verbatim', 'hash', 'lower', 'table'] as const

export type UidConfig = ReturnType<typeof loadUidConfig>

/** Which CometChat user a caller is, and whether one is made for them. */
export function loadUidConfig(reader: EnvReader, httpHosts: ReadonlySet<string>) {
  const chosen = reader.choice('UID_MODE', 'verbatim', UID_MODES)
  const isRefused = reader.isRefused('UID_MODE')
  // Of all modes this one goes with whatever else is set: nothing is said of the others beside a mode that was refused.
  const mode = isRefused ? 'hash' : chosen
  const prefix = reader.one('UID_PREFIX', /^[a-z0-9_-]{1,48}$/, 'up to 48 of a-z, 0-9, _ and -') ?? ''
  if (prefix !== '' && mode !== 'hash') reader.refuse(`UID_PREFIX needs UID_MODE=hash: ${mode} adds nothing.`)
  return {
    claim: reader.one('UID_CLAIM', CLAIM_NAME, 'the name of a claim') ?? 'sub',
    mode,
    prefix,
    strip: reader.one('UID_STRIP', PREFIX, 'visible ASCII characters, such as auth0|'),
    issuer: reader.one('UID_ISSUER', ISSUER, 'a name for whose users they are, such as the first issuer'),
    table: isRefused ? undefined : uidTable(reader, mode, httpHosts),
    create: reader.choice('UID_CREATE', 'off', ['on', 'off']) === 'on'
  }
}

function uidTable(reader: EnvReader, mode: string, httpHosts: ReadonlySet<string>): UidTableConfig | undefined {
  const token = uidTableToken(reader)
  const url = reader.text('UID_TABLE_URL', /^(file:.|https?:\/\/.)/, 'file:PATH or an https URL with {subject}')
  const hasUrl = reader.has('UID_TABLE_URL')
  if (url !== undefined && reader.refuseAddresses('UID_TABLE_URL')) return undefined
  if (mode === 'table' && !hasUrl) reader.refuse('UID_MODE=table needs UID_TABLE_URL: where the UIDs are found.')
  if (mode !== 'table' && hasUrl) reader.refuse('UID_TABLE_URL needs UID_MODE=table.')
  if (reader.has('UID_TABLE_TOKEN') || reader.has('UID_TABLE_TOKEN_FILE')) refuseUselessToken(reader, hasUrl, url)
  if (mode !== 'table' || url === undefined) return undefined
  return url.startsWith('file:') ? fileTable(reader, url) : urlTable(reader, url, token, httpHosts)
}

function refuseUselessToken(reader: EnvReader, hasUrl: boolean, url: string | undefined): void {
  if (!hasUrl) reader.refuse('UID_TABLE_TOKEN needs UID_TABLE_URL: nobody would be shown it.')
  else if (url?.startsWith('file:'))
    reader.refuse('UID_TABLE_TOKEN is for a table that is asked by https, not for a file.')
}

function uidTableToken(reader: EnvReader): Secret | undefined {
  const found = reader.secretText('UID_TABLE_TOKEN')
  if (!found || /^[\x21-\x7e]{1,4096}$/.test(found.text)) return found && new Secret(found.text)
  return reader.refuse('UID_TABLE_TOKEN must be one line of visible ASCII characters.')
}

function fileTable(reader: EnvReader, url: string): UidTableConfig | undefined {
  const path = url.replace(/^file:(\/\/)?/, '')
  const text = reader.file(path)
  if (text === undefined) return reader.refuse('UID_TABLE_URL names a file that cannot be read.')
  try {
    return { kind: 'file', path, table: parseUidTable(text, isLinesFile(path)) }
  } catch (error) {
    return reader.refuse(
      `The file of UID_TABLE_URL is wrong: ${error instanceof Error ? error.message : 'unreadable'}.`
    )
  }
}

function urlTable(
  reader: EnvReader,
  template: string,
  token: Secret | undefined,
  httpHosts: ReadonlySet<string>
): UidTableConfig | undefined {
  const [one, other] = ['a', 'b'].map(subject => tableUrl(template, { issuer: 'https://issuer.test', subject }))
  const url = one !== undefined && URL.canParse(one) ? new URL(one) : undefined
  const fault = urlFault(url?.href ?? '', httpHosts)
  if (!url || fault !== undefined) return reader.refuse(`UID_TABLE_URL ${fault}.`)
  // A subject that could name the host would choose who answers for it, and who gets the token.
  const isInPlace = other !== one && URL.canParse(other ?? '') && new URL(other ?? '').origin === url.origin
  if (!isInPlace) return reader.refuse('UID_TABLE_URL must have {subject} in its path or query.')
  return { kind: 'url', template, token }
}
