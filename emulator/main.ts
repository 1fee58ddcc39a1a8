// The command line: `npm run emulator -- --help`.
import { createCometChatEmulator } from './cometchat-emulator.ts'
import { explainListenError, FlagMistake, HELP, readCommand } from './command-line.ts'
import { addSampleWorld, describeSampleWorld } from './sample-world.ts'

const EXIT_FAILED = 1
const EXIT_BAD_FLAGS = 2

async function main(args: readonly string[]): Promise<void> {
  const command = readCommand(args)
  if (command.help) {
    process.stdout.write(HELP)
    return
  }
  const { port, host, key, seed, settleMs, switches } = command
  const emulator = createCometChatEmulator({
    seed,
    settleMs,
    switches,
    admin: true,
    firstMessageId: '1000',
    ...(key !== undefined && { apiKeys: [{ key, scope: 'fullAccess' }] })
  })
  addSampleWorld(emulator)
  try {
    await emulator.start({ port, host })
  } catch (error) {
    process.stderr.write(`${explainListenError(error, command)}\n`)
    process.exitCode = EXIT_FAILED
    return
  }
  const stop = () => void emulator.stop()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  process.stdout.write(describeSampleWorld(emulator))
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof FlagMistake)) throw error
  process.stderr.write(`${error.message} See --help.\n`)
  process.exitCode = EXIT_BAD_FLAGS
}
