import fc from 'fast-check'
import t from 'tap'
import { InsertionOrder, type Ordered } from '../../../../src/delivery/stores/memory/kept-records.ts'
import { seedOf } from '../../../helpers/seed.ts'

interface One extends Ordered<One> {
  readonly number: number
}

/** The order under test, and a list that does the same. */
class Both {
  readonly order = new InsertionOrder<One>()
  readonly list: One[] = []

  add(number: number): void {
    const one: One = { number, older: undefined, newer: undefined }
    this.order.add(one)
    this.list.push(one)
  }

  removeAt(index: number): void {
    const [one] = this.list.splice(index, 1)
    if (one) this.order.remove(one)
  }

  get areSame(): boolean {
    return this.order.oldest === this.list[0]
  }
}

t.test('whatever is removed, the oldest of the rest is the oldest', async t => {
  const seed = seedOf(t)
  // An index to remove, if anything is there; else one more is added.
  const choices = fc.array(fc.option(fc.nat({ max: 10 })), { maxLength: 200 })
  fc.assert(
    fc.property(choices, choices => {
      const both = new Both()
      const act = (choice: number | null, number: number): boolean => {
        if (choice === null) both.add(number)
        else both.removeAt(choice)
        return both.areSame
      }
      const emptied = choices.map(() => 0)
      return choices.every(act) && emptied.every(act) && both.order.oldest === undefined
    }),
    { seed, numRuns: 500 }
  )
})
