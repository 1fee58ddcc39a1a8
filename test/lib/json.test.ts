import t from 'tap'
import { parseJsonText } from '../../src/lib/json.ts'

t.test('every integer keeps its digits, wherever it stands in the text', async t => {
  for (let digits = 14; digits <= 20; digits++) {
    for (let offset = 0; offset < 40; offset++) {
      const text = `{"${'n'.repeat(offset)}":${'9876543210'.repeat(2).slice(0, digits)},"last":"${'1'.repeat(offset)}"}`
      if (JSON.stringify(parseJsonText(text)) !== text) t.fail(text)
    }
  }
  t.equal(JSON.stringify(parseJsonText('12345678901234567890')), '12345678901234567890', 'alone, too')
  t.equal(JSON.stringify(parseJsonText('-9007199254740993')), '-9007199254740993')
})

t.test('what is not JSON is undefined', async t => {
  for (const text of ['', '1234567890123456789x', '{', '"'.padEnd(40, '1')])
    t.equal(parseJsonText(text), undefined, text)
})
