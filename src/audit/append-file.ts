import { constants, fdatasync, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { LINE_START } from './chain.ts'

const syncData = promisify(fdatasync)
/**
 * Several processes append to one file: each write goes to its end as a whole. A pipe that nobody reads must not hold a
 * thread of this process for ever, so nothing ever waits for one.
 */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK
const PRIVATE = 0o600
const LONGEST_LINE_BYTES = 65_536
/** Linux takes a write to a file as a whole; to a pipe, PIPE_BUF. */
const FILE_WRITE_BYTES = 262_144
const PIPE_WRITE_BYTES = 4096

/** A file that this process and others append to, and that is renamed from time to time. */
export interface AppendFile {
  /** Whether the path names another file by now, or none. */
  wasMoved(): Promise<boolean>
  /** Opens the path anew. Throws where that fails; then the former file stays open. */
  reopen(): Promise<void>
  /** So many bytes arrive in one piece, whoever else writes. */
  readonly longestWriteBytes: number
  /**
   * Writes once: resolves with the number of bytes that got there, and with the reason where it was none. What is left is
   * not sent after them, since another process may have written meanwhile. Never rejects.
   */
  append(bytes: Buffer): Promise<{ readonly bytes: number; readonly code?: string }>
  /** Resolves once what was appended would survive the end of the machine. Rejects where the disk cannot say that. */
  sync(): Promise<void>
  /** The last whole line of the file as it is now; undefined where there is none, or where it cannot be read. */
  lastLine(): Promise<string | undefined>
  close(): Promise<void>
}

/** Makes the file for this user alone, if there is none. Throws an ErrnoException where it cannot be appended to. */
export async function openAppendFile(path: string): Promise<AppendFile> {
  let file = await open(path, APPEND, PRIVATE)
  let { dev, ino, isRegular } = await facts(file)

  async function facts(of: FileHandle) {
    const found = await of.stat()
    return { dev: found.dev, ino: found.ino, isRegular: found.isFile() }
  }

  return {
    get longestWriteBytes() {
      return isRegular ? FILE_WRITE_BYTES : PIPE_WRITE_BYTES
    },
    async wasMoved() {
      if (!isRegular) return false
      const found: Stats | undefined = await stat(path).catch(() => undefined)
      return found === undefined || found.ino !== ino || found.dev !== dev
    },
    async reopen() {
      const next = await open(path, APPEND, PRIVATE)
      const former = file
      file = next
      ;({ dev, ino, isRegular } = await facts(next))
      await former.close()
    },
    async append(bytes) {
      try {
        return { bytes: (await file.write(bytes)).bytesWritten }
      } catch (error) {
        return { bytes: 0, code: codeOf(error) }
      }
    },
    async sync() {
      if (isRegular) await syncData(file.fd)
    },
    async lastLine() {
      if (!isRegular) return undefined
      try {
        return await readLastLine(path, ino)
      } catch {
        return undefined
      }
    },
    close: () => file.close()
  }
}

/** Such as `ENOSPC`; for the operator. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : 'unknown'
}

async function readLastLine(path: string, ino: number): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = await file.stat()
    if (found.ino !== ino) return undefined
    const from = Math.max(0, found.size - LONGEST_LINE_BYTES)
    const { bytesRead, buffer } = await file.read(Buffer.alloc(LONGEST_LINE_BYTES), 0, LONGEST_LINE_BYTES, from)
    const text = buffer.toString('latin1', 0, bytesRead)
    const end = text.lastIndexOf('\n')
    const start = text.lastIndexOf(LINE_START, end)
    return start === -1 || end === -1 ? undefined : text.slice(start, end)
  } finally {
    await file.close()
  }
}
