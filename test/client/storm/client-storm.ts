import { parseArgs } from 'node:util'
import { optionsOrUsage } from '../../helpers/command-options.ts'
import { runClientStorm } from './run-client-storm.ts'

const USAGE = `Usage: npm run client-storm -- [--replies N] [--seed N]

Starts Chromium with two tabs that have tokens and two that have a session of the service's own login, each with
packages/client, in front of a local CometChat and a service that is killed; loses requests and answers on the way, reloads
tabs, signs in somebody else in one of them. Ends with what was doubled, lost, or posted under another name; then the exit
status is 1.

  --replies N   how many replies (2000)
  --seed N      of the faults; processes, sockets and the browser stay as random as they are
`

function readOptions(): { replies: number; seed: number } | 'help' | string {
  try {
    const { values } = parseArgs({
      options: {
        replies: { type: 'string', default: '2000' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        help: { type: 'boolean', default: false }
      }
    })
    if (values.help) return 'help'
    const [replies = 0, seed = 0] = [values.replies, values.seed].map(Number)
    return Number.isSafeInteger(replies) && Number.isSafeInteger(seed) && replies > 0
      ? { replies, seed }
      : '--replies and --seed take whole numbers.'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const options = optionsOrUsage(readOptions(), USAGE)
if (options) {
  process.stdout.write(`seed ${options.seed}\n`)
  const facts = await runClientStorm({
    ...options,
    onProgress: line => process.stdout.write(`${line}\n`)
  })
  const { doubled, lost, underAnotherName, toldWrongly } = facts
  process.stdout.write(`${JSON.stringify(facts, null, 2)}\n`)
  process.stdout.write(`${doubled} doubled, ${lost} lost, ${underAnotherName} under another name\n`)
  process.exitCode = doubled + lost + underAnotherName + toldWrongly.length > 0 ? 1 : 0
}
