import t from 'tap'
import { parseRetryAfter, resetInMs } from '../../../src/upstream/transport/retry-after.ts'

const now = Date.parse('Sat, 21 Nov 2026 12:00:00 GMT')

t.test('Retry-After is seconds or a date; anything else is not guessed at', async t => {
  const cases: [value: string | string[] | undefined, expected: number | undefined][] = [
    ['1', 1000],
    ['0', 0],
    [' 15 ', 15_000],
    ['99999999', 3_600_000],
    ['Sat, 21 Nov 2026 12:00:05 GMT', 5000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['Mon, 99 Xyz 2024 99:99:99 GMT', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['abc', undefined],
    ['', undefined],
    [['1', '2'], undefined],
    [undefined, undefined]
  ]
  for (const [value, expected] of cases) t.equal(parseRetryAfter(value, now), expected, `${value}`)
})

t.test('the instant at which a limit is reset is in Unix seconds, under either name', async t => {
  const in5 = String(now / 1000 + 5)
  const cases: [headers: Record<string, unknown>, expected: number | undefined][] = [
    [{ 'x-rate-limit-reset': in5 }, 5000],
    [{ 'x-ratelimit-reset': in5 }, 5000],
    [{ 'x-rate-limit-reset': in5, 'x-ratelimit-reset': '1' }, 5000],
    [{ 'x-rate-limit-reset': String(now / 1000 - 5) }, 0],
    [{ 'x-rate-limit-reset': String(now / 1000 + 7200) }, 3_600_000],
    [{ 'x-rate-limit-reset': String(now) }, undefined],
    [{ 'x-rate-limit-reset': '5' }, undefined],
    [{ 'x-rate-limit-reset': 'soon' }, undefined],
    [{ 'x-rate-limit-reset': [in5, in5] }, undefined],
    [{}, undefined]
  ]
  for (const [headers, expected] of cases) t.equal(resetInMs(headers, now), expected, JSON.stringify(headers))
})
