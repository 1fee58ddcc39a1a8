// The table from an app's users to their UIDs, as a file or as the template of an address.
import { isCometChatUid } from './cometchat-uid.ts'

/** A user, as the table knows them. */
export interface TableKey {
  readonly issuer: string
  readonly subject: string
}

/** Rows by issuer and subject; a row without an issuer is for users of any. */
export type UidTable = ReadonlyMap<string, string>

interface Row {
  readonly issuer?: unknown
  readonly subject: unknown
  readonly uid: unknown
}

export function isLinesFile(path: string): boolean {
  return path.endsWith('.ndjson')
}

export function findUid(table: UidTable, { issuer, subject }: TableKey): string | undefined {
  return table.get(rowKey(issuer, subject)) ?? table.get(rowKey(undefined, subject))
}

/**
 * Reads a table: a JSON object from subject to UID, or, in a file called `.ndjson`, one
 * `{"subject": …, "uid": …, "issuer"?: …}` a line. Throws an error that names rows by number and shows no value.
 */
export function parseUidTable(text: string, isLines: boolean): UidTable {
  const rows = isLines ? linesOf(text) : membersOf(text)
  const table = new Map<string, string>()
  const rowOfUid = new Map<string, number>()
  for (const [index, row] of rows.entries()) {
    const number = index + 1
    const { user, uid } = checkedRow(row, number)
    const other = rowOfUid.get(uid)
    if (other !== undefined) throw new Error(`rows ${other} and ${number} give two users the same UID`)
    if (table.has(user)) throw new Error(`row ${number} repeats a user`)
    rowOfUid.set(uid, number)
    table.set(user, uid)
  }
  return table
}

function checkedRow({ issuer, subject, uid }: Row, number: number): { user: string; uid: string } {
  if (typeof subject !== 'string' || subject === '') throw new Error(`row ${number} has no subject`)
  if (issuer !== undefined && typeof issuer !== 'string') throw new Error(`the issuer of row ${number} is not a text`)
  if (typeof uid !== 'string' || !isCometChatUid(uid)) throw new Error(`the UID of row ${number} is not valid`)
  return { user: rowKey(issuer, subject), uid }
}

function rowKey(issuer: string | undefined, subject: string): string {
  return JSON.stringify([issuer ?? null, subject])
}

function membersOf(text: string): Row[] {
  const value = parsed(text)
  if (value === undefined || Array.isArray(value)) throw new Error('it must be a JSON object from subject to UID')
  return Object.entries(value).map(([subject, uid]) => ({ subject, uid }))
}

function linesOf(text: string): Row[] {
  const lines = text.split('\n').filter(line => line.trim() !== '')
  return lines.map((line, index) => {
    const row = parsed(line)
    if (row === undefined) throw new Error(`row ${index + 1} is not a JSON object`)
    return row as unknown as Row
  })
}

/** An object, or undefined for whatever else the text may be. */
function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** The address that is asked about a user; `{issuer}` is for tables that know several. */
export function tableUrl(template: string, { issuer, subject }: TableKey): string {
  // In one pass: an issuer may contain "{subject}".
  return template.replaceAll(/\{(subject|issuer)\}/g, (_, name) =>
    encodeURIComponent(name === 'subject' ? subject : issuer)
  )
}
