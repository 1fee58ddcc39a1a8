import { statSync } from 'node:fs'

/** Whether the file at a path still is the one that was opened there: what is written to another is read by nobody. */
export class SameFile {
  readonly #path: string
  readonly #opened: string | undefined

  /** Once it is open. */
  constructor(path: string) {
    this.#path = path
    this.#opened = identityOf(path)
  }

  isThere(): boolean {
    return this.#opened !== undefined && identityOf(this.#path) === this.#opened
  }

  /** Throws where it was removed or replaced. */
  readonly require = (): void => {
    if (!this.isThere()) throw new Error('the file was removed or replaced')
  }
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path)
    return `${dev} ${ino}`
  } catch {
    return undefined
  }
}
