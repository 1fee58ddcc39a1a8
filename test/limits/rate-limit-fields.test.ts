import t from 'tap'
import { rateLimitFields } from '../../src/limits/rate-limit-fields.ts'

t.test('both fields are lists of strings with parameters', async t => {
  const user = { policy: 'user', limit: 30, remaining: 12, nextInMs: 40_001 } as const
  t.same(rateLimitFields([user]), { policy: '"user";q=30;w=60', limit: '"user";r=12;t=41' })
  const app = { policy: 'app', limit: 20_000, remaining: -1.5, nextInMs: 1 } as const
  t.same(rateLimitFields([user, app]), {
    policy: '"user";q=30;w=60, "app";q=20000;w=60',
    limit: '"user";r=12;t=41, "app";r=0;t=1'
  })
})

t.test('where nothing is used there is nothing to wait for', async t => {
  const { limit } = rateLimitFields([{ policy: 'user', limit: 30, remaining: 30, nextInMs: 0 }])
  t.equal(limit, '"user";r=30')
})
