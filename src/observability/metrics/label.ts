/** What stands for every value that is not in the list. */
const OTHER = 'other'
const ABSENT = 0
const UNLISTED = 1
/** As many values as a label may have, these two included. */
export const MOST_VALUES = 64

/** A label and the closed list of its values: whatever comes, it never has another one. */
export class Label {
  readonly name: string
  readonly #values: (string | undefined)[] = [undefined, OTHER]
  readonly #places = new Map<string, number>()

  constructor(name: string, values: readonly string[] = []) {
    this.name = name
    for (const value of values) this.add(value)
  }

  /** Before it is first counted. Throws for one value too many. */
  add(value: string): void {
    if (this.#places.has(value)) return
    if (this.#values.length === MOST_VALUES) throw new Error(`the label ${this.name} has too many values`)
    this.#places.set(value, this.#values.length)
    this.#values.push(value)
  }

  get size(): number {
    return this.#values.length
  }

  /** From 0 to 63; a label without a value is not there at all. */
  placeOf(value: string | undefined): number {
    return value === undefined ? ABSENT : (this.#places.get(value) ?? UNLISTED)
  }

  valueAt(place: number): string | undefined {
    return this.#values[place]
  }
}

/** The labels of a series whose values have these places. */
export function labelsAt(labels: readonly Label[], places: readonly number[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [index, label] of labels.entries()) {
    const value = label.valueAt(places[index] ?? ABSENT)
    if (value !== undefined) found[label.name] = value
  }
  return found
}
