import t from 'tap'
import { FlagMistake, HELP, readCommand } from '../../demo/command-line.ts'
import { runDemo } from './demo-process.ts'

t.test('without flags it serves on port 3000', async t => {
  t.strictSame(readCommand([]), { help: false, once: false, verbose: false, port: 3000 })
})

t.test('every flag is read', async t => {
  const command = readCommand(['--once', '--port', '8080', '--help'])

  t.strictSame(command, { help: true, once: true, verbose: true, port: 8080 })
  t.equal(readCommand(['--verbose']).verbose, true)
})

for (const [args, sentence] of [
  [['--onec'], "Unknown option '--onec'."],
  [['now'], "Unexpected argument 'now'."],
  [['--once=yes'], "Option '--once' does not take an argument."],
  [['--port'], "Option '--port <value>' argument missing."],
  [['--port', '65536'], '--port takes a whole number from 0 to 65535, not "65536".'],
  [['--port', 'x'], '--port takes a whole number from 0 to 65535, not "x".']
] as const) {
  t.test(`${args.join(' ')} is refused with one sentence`, async t => {
    t.throws(() => readCommand(args), new FlagMistake(sentence))
  })
}

t.test('a wrong flag ends the demo with status 64 and nothing but the sentence', async t => {
  const finished = await runDemo(t, ['--onec'])

  t.strictSame(finished, { code: 64, stdout: '', stderr: "Unknown option '--onec'. See --help.\n" })
})

t.test('--help shows every flag and starts nothing', async t => {
  const finished = await runDemo(t, ['--help'])

  t.strictSame(finished, { code: 0, stdout: HELP, stderr: '' })
  for (const flag of ['--port', '--verbose', '--once', '--help']) t.match(HELP, `  ${flag} `)
})
