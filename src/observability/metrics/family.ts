export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

/** How often a figure fell between two bounds; the last count is of those above all of them. */
export interface Distribution {
  readonly labels: Labels
  readonly counts: readonly number[]
  readonly sum: number
}

interface Described {
  readonly name: string
  /** One sentence; docs/metrics.md says the rest. */
  readonly help: string
}

/** A metric with all that it has to say at a moment, as data: it goes from one process to another as JSON. */
export type Family =
  | (Described & { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] })
  | (Described & {
      readonly type: 'histogram'
      readonly bounds: readonly number[]
      readonly distributions: readonly Distribution[]
    })

/** One figure without labels, or several with them; a figure that is not known is left out. */
export function gauge(name: string, help: string, value: number | undefined | readonly Sample[]): Family {
  const samples = typeof value === 'object' ? value : value === undefined ? [] : [{ labels: {}, value }]
  return { name, help, type: 'gauge', samples }
}

/** The same with one label more. */
export function withLabel(family: Family, label: Labels): Family {
  if (family.type !== 'histogram') {
    return { ...family, samples: family.samples.map(sample => ({ ...sample, labels: { ...label, ...sample.labels } })) }
  }
  const distributions = family.distributions.map(one => ({ ...one, labels: { ...label, ...one.labels } }))
  return { ...family, distributions }
}

/** The families of several processes, each name once; what a name means is the same in all of them. */
export function joinFamilies(families: readonly Family[]): Family[] {
  const joined = new Map<string, Family>()
  for (const family of families) {
    const former = joined.get(family.name)
    joined.set(family.name, former ? join(former, family) : family)
  }
  return [...joined.values()]
}

function join(one: Family, other: Family): Family {
  if (one.type === 'histogram' && other.type === 'histogram') {
    return { ...one, distributions: [...one.distributions, ...other.distributions] }
  }
  if (one.type === 'histogram' || other.type === 'histogram') return one
  return { ...one, samples: [...one.samples, ...other.samples] }
}
