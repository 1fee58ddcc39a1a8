/**
 * Every choice of a scenario, drawn from a list of numbers that fast-check can make shorter and smaller.
 * Zero, and everything after the end of the list, is the choice that harms nobody.
 */
export class Decisions {
  readonly #numbers: readonly number[]
  #taken = 0

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  /** One of `choices`; the first where nothing is to happen. */
  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.#take() % choices.length] ?? choices[0]
  }

  /** True so many times in a thousand. */
  happens(perThousand: number): boolean {
    return this.#take() % 1000 >= 1000 - perThousand
  }

  /** False once every further choice is the harmless one. */
  get areLeft(): boolean {
    return this.#taken < this.#numbers.length
  }

  #take(): number {
    return this.#numbers[this.#taken++] ?? 0
  }
}
