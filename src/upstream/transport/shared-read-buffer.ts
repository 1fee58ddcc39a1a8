import type { OnReadOpts, Socket } from 'node:net'

const READ_AT_ONCE_BYTES = 64 * 1024

/**
 * How sockets read into one buffer that they share, and hand on a copy of the few bytes that came. Left to itself Node
 * allocates 64 KiB for every read, shrinks them, and has the garbage collector find and free what was a kilobyte.
 *
 * A buffer can be shared because Node fills it and calls back in one go, for TLS, too. Source: `onread` of
 * `socket.connect()` in Node's documentation; that the callback is called on its socket is not in it, so a test is.
 */
export function createSharedReadBuffer(): OnReadOpts {
  return {
    buffer: Buffer.allocUnsafeSlow(READ_AT_ONCE_BYTES),
    callback(this: Socket, length: number, buffer: Uint8Array): boolean {
      return this.push(Buffer.from(buffer.subarray(0, length)))
    }
  }
}
