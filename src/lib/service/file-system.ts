import { statfsSync } from 'node:fs'

/** What a file system means for what is kept there; `name` is how mount(8) calls it. */
export interface FileSystem {
  readonly kind: 'local' | 'network' | 'forgetful' | 'unknown'
  readonly name: string
}

/** statfs(2), `f_type`: what a write-ahead log of SQLite cannot be kept on (sqlite.org/wal.html, "Disadvantages"). */
const NETWORK: Readonly<Record<number, string>> = {
  26985: 'nfs',
  4283649346: 'cifs',
  4266872130: 'smb',
  20859: 'smb',
  12805120: 'ceph',
  198183888: 'lustre',
  1397113167: 'afs',
  1799439955: 'afs'
}
/** What goes with the container, or with the machine's power. */
const FORGETFUL: Readonly<Record<number, string>> = {
  2035054128: 'overlayfs',
  1635083891: 'aufs',
  16914836: 'tmpfs',
  2240043254: 'ramfs'
}
/** A disk of the machine behind another name, or the network: nobody can tell. */
const UNKNOWN: Readonly<Record<number, string>> = { 1702057286: 'fuse', 16914839: '9p' }

/** Of the file system that a path is on. `typeOf` is for tests. */
export function fileSystemOf(path: string, typeOf: (path: string) => number = typeOfPath): FileSystem {
  const type = typeOf(path)
  const network = NETWORK[type]
  if (network !== undefined) return { kind: 'network', name: network }
  const forgetful = FORGETFUL[type]
  if (forgetful !== undefined) return { kind: 'forgetful', name: forgetful }
  const unknown = UNKNOWN[type]
  return unknown === undefined ? { kind: 'local', name: 'local' } : { kind: 'unknown', name: unknown }
}

function typeOfPath(path: string): number {
  try {
    // Of 32 bits; some systems give them a sign.
    return statfsSync(path).type >>> 0
  } catch {
    // A path that cannot be asked about cannot be opened either, and opening it says why.
    return 0
  }
}
