import fc from 'fast-check'
import t from 'tap'
import { credentialOf } from '../../src/auth/credentials.ts'
import { asciiLowerCase, trimBlanks } from '../../src/lib/ascii.ts'
import { cookieValue, parseCookies } from '../../src/lib/cookies.ts'
import { ANY_CHARACTER } from '../helpers/any-character.ts'
import { fastestMs } from '../helpers/fastest.ts'

const NAME = '__Host-Http-session'
/** Every byte that can stand in a header and is neither the end of a pair nor of a name. */
const BYTES = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(byte => !';='.includes(byte))

t.test('pairs come as they were sent, without the blanks around them', async t => {
  t.same(parseCookies('a=1; b = 2 ;\tc=\t"3" ;;d; =e; f=g=h;'), [
    { name: 'a', value: '1' },
    { name: 'b', value: '2' },
    { name: 'c', value: '"3"' },
    { name: '', value: 'e' },
    { name: 'f', value: 'g=h' }
  ])
  t.same(parseCookies(''), [])
  t.same(parseCookies('a=%41'), [{ name: 'a', value: '%41' }], 'nothing is decoded')
})

t.test('one byte more makes another name, save for SP and HTAB', async t => {
  for (const byte of BYTES) {
    const expected = byte === ' ' || byte === '\t' ? 'x' : undefined
    const code = byte.charCodeAt(0).toString(16)
    t.equal(cookieValue(`${byte}${NAME}=x`, NAME), expected, `${code} before`)
    t.equal(cookieValue(`${NAME}${byte}=x`, NAME), expected, `${code} behind`)
    t.equal(cookieValue(`a=1;${byte}${NAME}=x`, NAME), expected, `${code} before, in the second place`)
  }
})

t.test('a name that is only similar stands beside the good cookie and changes nothing', async t => {
  const strange = BYTES.filter(byte => byte !== ' ' && byte !== '\t')
  for (const planted of strange.flatMap(byte => [`${byte}${NAME}=planted`, `${NAME}${byte}=planted`])) {
    for (const header of [`${planted}; ${NAME}=good`, `${NAME}=good; ${planted}`]) {
      t.equal(cookieValue(header, NAME), 'good')
      t.same(credentialOf(['Cookie', header], [NAME]), { kind: 'cookie', name: NAME, value: 'good' })
    }
    t.throws(() => credentialOf(['Cookie', planted], [NAME]), { code: 'unauthenticated' })
  }
})

t.test('two cookies of one name are believed by nobody', async t => {
  t.equal(cookieValue(`${NAME}=a; ${NAME}=a`, NAME), undefined)
  t.throws(() => credentialOf(['cookie', `${NAME}=a; ${NAME}=b`], [NAME]), { code: 'ambiguous-credentials' })
  t.equal(cookieValue(undefined, NAME), undefined)
})

t.test('blanks and letters are those of ASCII, whatever the text', async t => {
  fc.assert(
    fc.property(fc.string({ unit: ANY_CHARACTER }), text => {
      const trimmed = trimBlanks(text)
      const lowered = asciiLowerCase(text)
      return (
        text.includes(trimmed) &&
        /^[ \t]*$/.test(text.replace(trimmed, () => '')) &&
        !/^[ \t]|[ \t]$/.test(trimmed) &&
        lowered.length === text.length &&
        !/[A-Z]/.test(lowered) &&
        [...lowered].every((letter, place) => letter === [...text][place] || /[a-z]/.test(letter))
      )
    })
  )
  t.equal(trimBlanks(' \t\xa0x\xa0\t '), '\xa0x\xa0')
  t.equal(asciiLowerCase('KELVIN \u212a À'), 'kelvin \u212a À')
})

t.test('many blanks cost no more than their number', async t => {
  t.ok((await fastestMs(() => trimBlanks(`x${' \t'.repeat(100_000)}x`))) < 500)
})
