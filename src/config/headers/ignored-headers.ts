import type { EnvReader } from '../env-reader.ts'
import { decides } from './known-headers.ts'
import { HEADER_NAME } from './token-places.ts'

const FORWARDED = /^x-(forwarded.*|real-ip)$/

/** The headers of `IGNORED_HEADERS`, in lower case; never one that decides something, nor the one of bearer tokens. */
export function loadIgnoredHeaders(reader: EnvReader, tokenHeader: string | undefined): readonly string[] {
  const names = reader.list('IGNORED_HEADERS').map(name => name.toLowerCase())
  for (const name of names) {
    if (name.includes('*') || !HEADER_NAME.test(name)) {
      reader.refuse('IGNORED_HEADERS must name headers one by one, such as apikey,app-id: no * and no patterns.')
    } else if (name === tokenHeader) {
      reader.refuse(`IGNORED_HEADERS must not name ${name}: AUTH_JWT_HEADER says that tokens come in it.`)
    } else if (decides(name) || FORWARDED.test(name.replaceAll('_', '-'))) {
      reader.refuse(`IGNORED_HEADERS must not name ${name}: that header decides what becomes of a request.`)
    }
  }
  return [...new Set(names)]
}
