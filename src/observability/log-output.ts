import { fstatSync, write, writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'
import { createDeferred } from '../lib/node20/deferred.ts'
import { WaitingLines } from './waiting-lines.ts'

/** So much may wait for a reader that does not read. */
const MAX_WAITING_BYTES = 1024 * 1024
/**
 * PIPE_BUF of Linux: so much reaches a pipe in one piece, whoever else writes to it. Anything else takes a larger piece as a
 * whole, and to hand one to another thread costs as much as several lines: at 64 connections a twentieth of a reply.
 */
const PIPE_WRITE_BYTES = 4096
const FILE_WRITE_BYTES = 65_536
/** Ordinary lines of a busy service are written together: a write costs more than the line in it. */
const BETWEEN_WRITES_MS = 5
const ORDINARY = '{"level":"info"'
const OF_A_REQUEST = '"msg":"request"}\n'
/** A full pipe whose reader reads has room again within this; a full disk, or a reader that left, takes longer. */
const RETRY_FULL_MS = 20
const RETRY_FAILED_MS = 1000
/** What is written within this goes on; what is not has stalled. */
const STALLED_MS = 50

/**
 * Writes the lines of the log to a pipe, a socket, a terminal or a file without ever waiting for it. Threads of Node do
 * the writing, one write at a time: whether standard output blocks belongs to every process that shares it, so this one
 * can neither rely on it nor change it. What comes meanwhile waits, up to a bound; beyond it ordinary lines are lost and
 * counted, while alarms and the last lines of the process are kept.
 */
export class LogOutput implements DestinationStream {
  readonly #fd: number
  readonly #maxWriteBytes: number
  readonly #waiting: WaitingLines
  /** Taken, and not yet written to its end. */
  #chunk: Buffer | undefined
  #isWriting = false
  /** The code of the error that the last write met. */
  #obstacle: string | undefined
  #isEnding = false
  #startedAtMs = Number.NEGATIVE_INFINITY
  #isScheduled = false
  #onIdle: (() => void) | undefined

  /** `onLoss` writes a line about so many lost ones. */
  constructor(fd: number, onLoss: (lost: number) => void) {
    this.#fd = fd
    this.#maxWriteBytes = isPipe(fd) ? PIPE_WRITE_BYTES : FILE_WRITE_BYTES
    this.#waiting = new WaitingLines(MAX_WAITING_BYTES, onLoss)
    process.on('exit', code => this.#exit(code))
  }

  write(line: string): void {
    const isBad = isBadNews(line)
    this.#waiting.add(line, this.#isEnding || isBad)
    if (this.#isWriting || this.#obstacle !== undefined) return
    if (isBad || this.#waiting.bytes >= this.#maxWriteBytes) this.#write()
    else this.#schedule()
  }

  /** From now on every line is one of the last, and none of them is lost for an older one. */
  beginEnd(): void {
    this.#isEnding = true
  }

  /** Resolves once everything is written, and at the latest after the given time. */
  async end(withinMs: number): Promise<void> {
    this.#waiting.tellLoss()
    this.#write()
    if (!this.#isWriting) return
    const { promise, resolve } = createDeferred<void>()
    const timer = setTimeout(resolve, withinMs)
    this.#onIdle = resolve
    await promise
    clearTimeout(timer)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    const next = (): void => {
      this.#isScheduled = false
      this.#write()
    }
    const waitMs = this.#startedAtMs + BETWEEN_WRITES_MS - performance.now()
    if (waitMs <= 0) setImmediate(next)
    else setTimeout(next, waitMs)
  }

  #write(): void {
    if (this.#isWriting) return
    // First of all: to take lines may bring a new one.
    this.#isWriting = true
    this.#chunk ??= this.#next()
    if (!this.#chunk) this.#isWriting = false
    else {
      this.#startedAtMs = performance.now()
      write(this.#fd, this.#chunk, (error, written) => this.#wrote(error, written))
    }
  }

  #next(): Buffer | undefined {
    const text = this.#waiting.take(this.#maxWriteBytes)
    return text === '' ? undefined : Buffer.from(text)
  }

  #wrote(error: NodeJS.ErrnoException | null, written: number): void {
    this.#isWriting = false
    this.#obstacle = error ? (error.code ?? 'unknown') : undefined
    if (error) {
      const isFull = this.#obstacle === 'EAGAIN'
      setTimeout(() => this.#write(), isFull ? RETRY_FULL_MS : RETRY_FAILED_MS).unref()
      if (!isFull) this.#onIdle?.()
      return
    }
    const rest = this.#chunk?.subarray(written)
    this.#chunk = rest?.length ? rest : undefined
    if (this.#chunk || this.#isEnding || this.#waiting.bytes >= this.#maxWriteBytes) this.#write()
    else if (this.#waiting.bytes > 0) this.#schedule()
    if (!this.#isWriting) this.#onIdle?.()
  }

  /** The process ends now; the event loop turns no more. */
  #exit(code: number): void {
    if (this.#obstacle !== undefined && this.#obstacle !== 'EAGAIN') return
    if (this.#isWriting) this.#writeRestBehind(code)
    else this.#writeRest()
  }

  /** Node waits for its threads, also for one that a full pipe has stopped for ever: only an end without Node is sure. */
  #writeRestBehind(code: number): void {
    pause(this.#startedAtMs + STALLED_MS - performance.now())
    const rest = this.#waiting.take(Number.POSITIVE_INFINITY)
    if (rest !== '') {
      write(this.#fd, rest, () => undefined)
      pause(STALLED_MS)
    }
    endWithoutNode(code)
  }

  #writeRest(): void {
    this.#isWriting = true
    this.#waiting.tellLoss()
    const rest = Buffer.concat([this.#chunk ?? Buffer.alloc(0), Buffer.from(this.#waiting.take(MAX_WAITING_BYTES * 2))])
    try {
      for (let written = 0; written < rest.length; ) written += writeSync(this.#fd, rest, written)
    } catch {
      // There is no later, and no other place to say it.
    }
  }
}

/** Alarms, bugs and the like. The line of a request is one of many, whatever became of it. */
function isBadNews(line: string): boolean {
  return !line.startsWith(ORDINARY) && !line.endsWith(OF_A_REQUEST)
}

/** Of a descriptor that is closed nothing is known, and nothing can be written to it. */
function isPipe(fd: number): boolean {
  try {
    const found = fstatSync(fd)
    return found.isFIFO() || found.isSocket()
  } catch {
    return true
  }
}

function pause(ms: number): void {
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/**
 * Another program takes the place of this one and ends with its code: the system stops the threads for it. A signal
 * could not say the code, and the first process of a container ignores it.
 */
function endWithoutNode(code: number): void {
  process.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {})
}
