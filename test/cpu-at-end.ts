// Loaded before a test file by test/run.ts: says at its end what it cost.
import { cpuSeconds } from './cpu-seconds.ts'

process.once('exit', () => process.stdout.write(`# cpu=${cpuSeconds().toFixed(1)}s\n`))
