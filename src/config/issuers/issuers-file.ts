import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Secret } from '../../lib/secret.ts'
import { PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHMS } from '../../lib/service/keys/jwt-algorithms.ts'
import { parseSharedSecrets } from '../../lib/service/keys/shared-secrets.ts'
import { looksLikeAddresses, urlFault } from '../env-reader.ts'
import { CLAIM_NAME, ISSUER, MEDIA_TYPE, PREFIX, SCOPE } from '../patterns.ts'
import { type IssuerConfig, type IssuerContext, type IssuerSettings, issuerConfig, TENANT } from './issuer.ts'
import { nameOfMember } from './setting-names.ts'

const MAX_ISSUERS = 100
const MAX_TENANTS = 1000
const text = (pattern: RegExp, description: string) => Type.String({ pattern: pattern.source, description })
const path = (description: string) => Type.String({ minLength: 1, maxLength: 4096, description })

type Entry = Static<typeof Entry>
const Entry = Type.Object(
  {
    issuer: text(ISSUER, 'The exact `iss` of the tokens, or a template with {tenantid}.'),
    audience: Type.Optional(
      Type.Array(text(ISSUER, 'One accepted `aud`, or the word unchecked.'), { minItems: 1, maxItems: 100 })
    ),
    jwksUrl: Type.Optional(
      Type.String({ minLength: 1, description: 'Where the key set is; found by discovery without it.' })
    ),
    keyFile: Type.Optional(path('Public keys: PEM, certificate, JWK or JWK set. Watched.')),
    secretFile: Type.Optional(path('A shared secret of at least 32 bytes, or several, one a line. Watched.')),
    algorithms: Type.Optional(
      Type.Array(Type.Union([...SECRET_ALGORITHMS, ...PUBLIC_KEY_ALGORITHMS].map(name => Type.Literal(name))), {
        minItems: 1,
        description: 'By default HS256 for a secret and every asymmetric one for public keys.'
      })
    ),
    typ: Type.Optional(text(MEDIA_TYPE, 'The `typ` that a token must have, such as at+jwt.')),
    scope: Type.Optional(text(SCOPE, 'The scope that a token must have.')),
    actScope: Type.Optional(text(SCOPE, 'The scope that lets a service name its user in X-Acting-For.')),
    explainScope: Type.Optional(text(SCOPE, 'The scope that lets an operator ask what would become of a reply.')),
    sdkTokenScope: Type.Optional(
      text(SCOPE, "The scope that lets a service have tokens of CometChat's SDK for its users.")
    ),
    claims: Type.Optional(Type.String({ minLength: 1, description: 'What claims must be, as in AUTH_JWT_CLAIMS.' })),
    uidClaim: Type.Optional(text(CLAIM_NAME, 'The claim that names the user; by default UID_CLAIM.')),
    uidStrip: Type.Optional(text(PREFIX, 'What is taken away from that claim; by default UID_STRIP.')),
    usersOf: Type.Optional(text(ISSUER, 'Whose users they are; by default the issuer. Two entries may share them.')),
    tenants: Type.Optional(
      Type.Array(text(/^[A-Za-z0-9._-]{1,128}$/, 'What may stand for {tenantid}; `tid` must be the same.'), {
        minItems: 1,
        maxItems: MAX_TENANTS
      })
    )
  },
  { additionalProperties: false }
)

/** docs/issuers.schema.json is this. */
export const ISSUERS_FILE_SCHEMA = Type.Array(Entry, {
  title: 'AUTH_ISSUERS_FILE of thread-reply-bff',
  minItems: 1,
  maxItems: MAX_ISSUERS
})
const fileCheck = TypeCompiler.Compile(ISSUERS_FILE_SCHEMA)

export interface IssuersFileContext {
  readonly readFile: (path: string) => string | undefined
  readonly httpHosts: ReadonlySet<string>
  readonly uid: { readonly claim: string; readonly mode: string; readonly strip: string | undefined }
}

/** Every mistake in the file, none with a value in it. */
export class IssuersFileError extends Error {
  override readonly name = 'IssuersFileError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join(' '))
    this.problems = problems
  }
}

/** Throws an IssuersFileError that names each mistake by entry, counted from 0, and member. */
export function parseIssuersFile(file: string, context: IssuersFileContext): readonly IssuerConfig[] {
  const entries = checkedEntries(file)
  const problems: string[] = []
  const issuers = entries.map((entry, index) => readEntry(entry, index, context, problems))
  problems.push(
    ...repeatedIssuers(issuers),
    ...mixedPopulations(issuers, context.uid.mode),
    ...mixedPrefixes(issuers, context.uid)
  )
  if (problems.length > 0) throw new IssuersFileError(problems)
  return issuers
}

function checkedEntries(file: string): Entry[] {
  let value: unknown
  try {
    value = JSON.parse(file)
  } catch {
    throw new IssuersFileError(['AUTH_ISSUERS_FILE is not JSON.'])
  }
  if (fileCheck.Check(value)) return value
  // The first of each place says it; what follows from it says the same in other words.
  const places = new Map<string, string>()
  for (const { path: pointer, message } of fileCheck.Errors(value)) {
    const place = placeOf(pointer)
    if (!places.has(place)) places.set(place, message)
  }
  throw new IssuersFileError(Array.from(places, ([place, message]) => `AUTH_ISSUERS_FILE${place}: ${asWish(message)}.`))
}

/** `/1/audience/0` is the first audience of the entry 1; a member's name that is not ours is not repeated. */
function placeOf(pointer: string): string {
  const [, index, member, item] = pointer.split('/')
  if (index === undefined) return ''
  const entry = ` entry ${index}`
  if (member === undefined) return entry
  if (!Object.hasOwn(Entry.properties, member)) return `${entry}, an unknown member`
  return `${entry}, ${member}${item === undefined ? '' : ` ${item}`}`
}

function asWish(message: string): string {
  return message
    .replace(/ '.*'$/, '')
    .replace(/^Expected/, 'expected')
    .replace(/^Unexpected/, 'unexpected')
}

function readEntry(
  entry: Entry,
  index: number,
  { readFile, httpHosts, uid }: IssuersFileContext,
  problems: string[]
): IssuerConfig {
  const nameOf = (setting: keyof IssuerSettings): string => nameOfMember(index, setting)
  const refuse = (problem: string): void => void problems.push(problem)
  const { secretFile, ...settings } = entry
  const isWritten: IssuerContext['isWritten'] = setting =>
    entry[setting === 'secrets' ? 'secretFile' : setting] !== undefined
  const fault = settings.jwksUrl === undefined ? undefined : urlFault(settings.jwksUrl, httpHosts)
  if (looksLikeAddresses(settings.jwksUrl ?? '')) {
    refuse(`${nameOf('jwksUrl')} takes one address, and this looks like a list.`)
  } else if (fault !== undefined) refuse(`${nameOf('jwksUrl')} ${fault}.`)
  for (const member of SINGLE_VALUES.filter(member => settings[member]?.includes(','))) {
    refuse(`${nameOf(member)} takes one value, and this looks like a list.`)
  }
  if (settings.audience?.some(text => text.includes(','))) {
    refuse(`${nameOf('audience')} holds a text that looks like a list: give each audience an item of its own.`)
  }
  return issuerConfig(
    {
      ...settings,
      secretFile,
      secrets: secretFile === undefined ? [] : secretsIn(readFile(secretFile), nameOf('secrets'), refuse)
    },
    { nameOf, isWritten, refuse, readFile, httpHosts, uidClaim: uid.claim }
  )
}

/** Whose values have no commas where they are one. */
const SINGLE_VALUES = ['issuer', 'scope', 'actScope', 'explainScope', 'sdkTokenScope', 'uidStrip', 'usersOf'] as const

function secretsIn(file: string | undefined, name: string, refuse: (problem: string) => void): Secret[] {
  try {
    if (file !== undefined) return parseSharedSecrets(file)
    refuse(`${name} names a file that cannot be read.`)
  } catch (error) {
    refuse(`${name} ${error instanceof SyntaxError ? error.message : 'cannot be used'}.`)
  }
  return []
}

/** Every `iss` that an entry accepts. */
export function issuerNames({ issuer = '', tenants }: IssuerConfig): string[] {
  return tenants ? tenants.map(tenant => issuer.replaceAll(TENANT, tenant)) : [issuer]
}

function repeatedIssuers(issuers: readonly IssuerConfig[]): string[] {
  const entryOf = new Map<string, number>()
  return issuers.flatMap((issuer, index) => {
    const others = issuerNames(issuer).flatMap(name => entryOf.get(name) ?? [])
    for (const name of issuerNames(issuer)) entryOf.set(name, index)
    return others.length === 0
      ? []
      : [`AUTH_ISSUERS_FILE entry ${index}, issuer: entry ${others[0]} has it already; a token is judged by one entry.`]
  })
}

/** As they are, the names of two populations are not told apart. */
function mixedPopulations(issuers: readonly IssuerConfig[], mode: string): string[] {
  if (mode !== 'verbatim' || new Set(issuers.map(({ usersOf }) => usersOf)).size < 2) return []
  return [
    'AUTH_ISSUERS_FILE holds the users of several issuers, and UID_MODE=verbatim would take two of one name for one ' +
      'person: set UID_MODE=hash, lower or table, or give entries with the same users one usersOf.'
  ]
}

/** `auth0|17` and `17` of one population are two users, and would be one without the prefix; `lower` has owners for that. */
function mixedPrefixes(issuers: readonly IssuerConfig[], { mode, strip }: IssuersFileContext['uid']): string[] {
  if (mode === 'lower') return []
  const prefixOf = new Map<string, string>()
  return issuers.flatMap(({ usersOf, uidStrip = strip ?? '' }, index) => {
    const other = prefixOf.get(usersOf)
    prefixOf.set(usersOf, uidStrip)
    if (other === undefined || other === uidStrip) return []
    return [
      `AUTH_ISSUERS_FILE entry ${index}, uidStrip: another entry of the same usersOf has another one; two users would meet.`
    ]
  })
}
