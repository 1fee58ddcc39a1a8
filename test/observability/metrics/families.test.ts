// Counters, histograms and what becomes of them in the two formats.
import t from 'tap'
import { expose } from '../../../src/observability/metrics/exposition.ts'
import { gauge, joinFamilies, withLabel } from '../../../src/observability/metrics/family.ts'
import { Counter, Histogram, Label, MOST_VALUES } from '../../../src/observability/metrics/instruments.ts'

function newCounter(): Counter {
  return new Counter({
    name: 'things_total',
    help: 'Things.',
    labels: [new Label('kind', ['a', 'b']), new Label('end', ['good', 'bad'])],
    known: [['a', 'good']]
  })
}

function newHistogram(maxSeries?: number): Histogram {
  return new Histogram({
    name: 'thing_seconds',
    help: 'How long things took.',
    bounds: [0.5, 1, 10],
    labels: [new Label('kind', ['a', 'b']), new Label('end', ['good', 'bad'])],
    ...(maxSeries !== undefined && { maxSeries })
  })
}

t.test('a counter tells what it was told, what was known from the start, and nothing that is in no list', async t => {
  const counter = newCounter()
  counter.add(2, 'a', 'bad')
  counter.add(1, 'a', 'bad')
  counter.add(1, 'mallory', '"}\n# EOF')
  counter.add(5, 'b')

  t.same(counter.family().type === 'counter' && 'samples' in counter.family() && counter.family(), {
    name: 'things_total',
    help: 'Things.',
    type: 'counter',
    samples: [
      { labels: { kind: 'a', end: 'good' }, value: 0 },
      { labels: { kind: 'a', end: 'bad' }, value: 3 },
      { labels: { kind: 'other', end: 'other' }, value: 1 },
      { labels: { kind: 'b' }, value: 5 }
    ]
  })
})

t.test('a histogram counts a figure in the first bucket that it fits into, its bound included', async t => {
  const histogram = newHistogram()
  for (const value of [0, 0.5, 0.500001, 1, 7, 10, 10.5, 1e9]) histogram.observe(value, 'a', 'good')
  const family = histogram.family()

  t.match(family, { distributions: [{ labels: { kind: 'a', end: 'good' }, counts: [2, 2, 2, 2] }] })
  t.equal(family.type === 'histogram' && family.distributions[0]?.sum, 0 + 0.5 + 0.500001 + 1 + 7 + 10 + 10.5 + 1e9)
})

t.test('what comes when a histogram has all of its series is told together, and lost nowhere', async t => {
  const histogram = newHistogram(3)
  for (const kind of ['a', 'b', undefined, 'c'])
    for (const end of ['good', 'bad', undefined]) histogram.observe(1, kind, end)
  const family = histogram.family()
  const distributions = family.type === 'histogram' ? family.distributions : []

  t.same(
    distributions.map(({ labels }) => labels),
    [
      { kind: 'a', end: 'good' },
      { kind: 'a', end: 'bad' },
      { kind: 'other', end: 'other' }
    ]
  )
  t.equal(
    distributions.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count, 0),
    12
  )
})

t.test('a label has no more values than fit into its place', async t => {
  const label = new Label('n')
  for (let n = 0; n < MOST_VALUES - 2; n++) label.add(`${n}`)
  label.add('0')

  t.throws(() => label.add('one too many'), /the label n has too many values/)
})

t.test('both formats, one after the other and again, name a counter as each has it', async t => {
  const counter = newCounter()
  const families = [counter.family(), gauge('here', 'Is it?', 1), gauge('gone', 'Is it?', undefined)]

  for (const _ of ['once', 'again']) {
    const text = await expose(families, 'prometheus')
    t.equal(text.contentType, 'text/plain; version=0.0.4; charset=utf-8')
    t.match(text.text, '# TYPE things_total counter\nthings_total{kind="a",end="good"} 0\n')
    t.notMatch(text.text, '# EOF')
    const open = await expose(families, 'openmetrics')
    t.equal(open.contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
    t.match(open.text, '# TYPE things counter\nthings_total{kind="a",end="good"} 0\n')
    t.ok(open.text.endsWith('\n# EOF\n'))
    t.notMatch(open.text, '\n\n', 'OpenMetrics has no empty line')
  }
})

t.test('the buckets of a histogram add up, and bounds are written the same in both formats', async t => {
  const histogram = newHistogram()
  for (const value of [0.1, 0.7, 5, 50]) histogram.observe(value, 'a', 'good')
  const lines = [
    'thing_seconds_bucket{le="0.5",kind="a",end="good"} 1',
    'thing_seconds_bucket{le="1.0",kind="a",end="good"} 2',
    'thing_seconds_bucket{le="10.0",kind="a",end="good"} 3',
    'thing_seconds_bucket{le="+Inf",kind="a",end="good"} 4',
    'thing_seconds_sum{kind="a",end="good"} 55.8',
    'thing_seconds_count{kind="a",end="good"} 4'
  ].join('\n')

  for (const format of ['prometheus', 'openmetrics'] as const) {
    t.match((await expose([histogram.family()], format)).text, lines)
  }
})

t.test('families of workers are told under one name, each series with its worker', async t => {
  const [one, other] = [newCounter(), newCounter()]
  one.add(1, 'a', 'good')
  other.add(2, 'a', 'good')
  const histograms = [newHistogram(), newHistogram()]
  for (const histogram of histograms) histogram.observe(1, 'b', 'bad')
  const told = [one, other].flatMap((counter, index) =>
    [counter.family(), histograms[index]?.family() ?? counter.family()].map(family =>
      // As it comes from another process.
      JSON.parse(JSON.stringify(withLabel(family, { worker: `${index + 1}` })))
    )
  )
  const { text } = await expose(joinFamilies(told), 'openmetrics')

  t.equal(text.match(/# TYPE things counter/g)?.length, 1)
  t.match(text, 'things_total{worker="1",kind="a",end="good"} 1\nthings_total{worker="2",kind="a",end="good"} 2\n')
  t.match(text, 'thing_seconds_count{worker="1",kind="b",end="bad"} 1\n')
  t.match(text, 'thing_seconds_count{worker="2",kind="b",end="bad"} 1\n')
})
