// Users who sign in by a session or a login as well as by a token of an entry of AUTH_ISSUERS_FILE.
import type { IssuerConfig } from './issuer.ts'
import { IssuersFileError, issuerNames } from './issuers-file.ts'

/** Another way to sign in, and whose users it names. */
export interface OtherWay {
  readonly variable: 'AUTH_SESSION_ISSUER' | 'AUTH_LOGIN_ISSUER'
  readonly issuer: string
}

interface UidRules {
  readonly mode: string
  readonly strip: string | undefined
}

/** Whose users those of an issuer are: what its entry says, or its own, where it has none. */
export function populationOf(issuers: readonly IssuerConfig[], issuer: string): string {
  return issuers.find(entry => issuerNames(entry).includes(issuer))?.usersOf ?? issuer
}

/** One sentence for each other way in which two users would meet. */
export function mixedUsers(issuers: readonly IssuerConfig[], ways: readonly OtherWay[], uid: UidRules): string[] {
  return ways.flatMap(({ variable, issuer }) => {
    const population = populationOf(issuers, issuer)
    const strip = uid.strip ?? ''
    const index = issuers.findIndex(({ usersOf, uidStrip = strip }) => usersOf === population && uidStrip !== strip)
    // `lower` has owners by the whole subject.
    if (index >= 0 && uid.mode !== 'lower') {
      return [
        `${variable} has the users of AUTH_ISSUERS_FILE entry ${index}, whose uidStrip is not UID_STRIP: two users would meet.`
      ]
    }
    if (uid.mode === 'verbatim' && issuers.length > 0 && !issuers.some(({ usersOf }) => usersOf === population)) {
      return [
        `${variable} has other users than AUTH_ISSUERS_FILE, and UID_MODE=verbatim would take two of one name for one ` +
          'person: set UID_MODE=hash, lower or table, or name an issuer or a usersOf of the file.'
      ]
    }
    return []
  })
}

/** A later version of the file, which must leave the users of the other ways who they were. Throws an IssuersFileError. */
export function withSameUsers(
  issuers: readonly IssuerConfig[],
  former: readonly IssuerConfig[],
  ways: readonly OtherWay[],
  uid: UidRules
): readonly IssuerConfig[] {
  const moved = ways.filter(({ issuer }) => populationOf(issuers, issuer) !== populationOf(former, issuer))
  const problems = [
    ...mixedUsers(issuers, ways, uid),
    ...moved.map(
      ({ variable }) => `AUTH_ISSUERS_FILE gives those of ${variable} to another usersOf: that takes a restart.`
    )
  ]
  if (problems.length > 0) throw new IssuersFileError(problems)
  return issuers
}
