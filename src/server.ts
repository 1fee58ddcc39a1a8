import { catchEarlySignals } from './process/early-signals.ts'

// Whatever else there is takes its time to load, and a signal does not wait for it.
const args = process.argv.slice(2)
const release = catchEarlySignals(args.length === 0)
const { main } = await import('./main.ts')
await main(args, process.env, release)
