// The codes, sentences and owners of problems in the client are those of the service.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { explain } from '../../packages/client/src/index.ts'
import type { Problem, ServiceCode } from '../../packages/client/src/problems.ts'
import { PROBLEMS, type ProblemCode } from '../../src/lib/refusals/problems.ts'

// A code that one of them lacks is an error of the compiler here.
export const ours: Record<ServiceCode, true> = {} as Record<ProblemCode, true>
export const theirs: Record<ProblemCode, true> = {} as Record<ServiceCode, true>

t.test('every problem of the service is explained as docs/problems.md says it', t => {
  for (const [code, { status, delivery, sentence, whose }] of Object.entries(PROBLEMS)) {
    const problem = { code, status, delivery, retryable: false } as Problem
    t.match(explain(problem), { id: code, text: sentence, whose }, code)
  }
  t.end()
})

t.test('the list of codes in its declarations is the table', t => {
  const declared = readFileSync(new URL('../../packages/client/src/problems.ts', import.meta.url), 'utf8')
  const [, list = ''] = /type ServiceCode =([\s\S]*?)\n\n/.exec(declared) ?? []
  t.same(
    Array.from(list.matchAll(/'([a-z-]+)'/g), ([, code]) => code),
    Object.keys(PROBLEMS)
  )
  t.end()
})
