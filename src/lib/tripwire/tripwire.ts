import type { Secret } from '../secret.ts'
import { MIN_SECRET_CHARACTERS, SecretScan } from './secret-scan.ts'

/** Ways out of the process. */
export type Exit = 'answer' | 'log' | 'audit' | 'traces' | 'metrics'

/** A secret that was about to leave, by the variable that it comes from. */
export interface StoppedSecret {
  readonly exit: Exit
  readonly variable: string
}

/** A key that was replaced may be good at CometChat for a while: so many versions of a secret are looked for. */
const MAX_VERSIONS = 16
/** So many are told once there is somebody to tell. */
const MAX_UNTOLD = 100

/**
 * The last look at what leaves the process: a secret that is in it, which is a bug by then, is cut out and told of. Nothing
 * relies on it: what writes a secret anywhere is wrong.
 */
export class Tripwire {
  readonly #versions = new Map<string, readonly Secret[]>()
  #scan = new SecretScan([])
  #tell: ((stopped: StoppedSecret) => void) | undefined
  #untold: StoppedSecret[] = []

  /** Looks for these from now on, and for those that the variable had before. */
  watch(variable: string, secrets: readonly Secret[]): void {
    const former = this.#versions.get(variable) ?? []
    const added = secrets.filter(secret => isWatchable(secret) && !former.some(known => known.equals(secret)))
    if (added.length === 0) return
    this.#versions.set(variable, [...former, ...added].slice(-MAX_VERSIONS))
    const all = [...this.#versions].flatMap(([name, versions]) =>
      versions.map(secret => [name, secret.reveal()] as const)
    )
    this.#scan = new SecretScan(all)
  }

  /** Who hears of a secret from now on, and of those before. */
  listen(tell: (stopped: StoppedSecret) => void): void {
    this.#tell = tell
    const untold = this.#untold
    this.#untold = []
    for (const stopped of untold) tell(stopped)
  }

  /** The text as it may leave; `whole` takes its place where a secret cannot be cut out of it. */
  cut(text: string, exit: Exit, whole?: string): string {
    const { text: rest, found } = this.#scan.cut(text, whole)
    for (const variable of found) this.#note({ exit, variable })
    return rest
  }

  /** For a text that leaves in pieces: holds back the end of one that may be the beginning of a secret. */
  inPieces(exit: Exit): TextInPieces {
    let held = ''
    return {
      next: piece => {
        const text = this.cut(held + piece, exit)
        const open = this.#scan.openEnd(text)
        held = open === 0 ? '' : text.slice(-open)
        return open === 0 ? text : text.slice(0, -open)
      },
      rest: () => held
    }
  }

  #note(stopped: StoppedSecret): void {
    if (this.#tell) this.#tell(stopped)
    else if (this.#untold.length < MAX_UNTOLD) this.#untold.push(stopped)
  }
}

/** In any spelling: where a shorter one stands in hex is hardly told from chance either. */
function isWatchable(secret: Secret): boolean {
  return secret.reveal().length >= MIN_SECRET_CHARACTERS
}

export interface TextInPieces {
  /** As much of what came as may leave now. */
  next(piece: string): string
  /** What is left at the end. */
  rest(): string
}
