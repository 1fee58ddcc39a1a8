// A process that appends lines of one digit: PATH DIGIT LENGTH COUNT. It writes so many each time it is told to.
import { openAppendFile } from '../../src/audit/append-file.ts'

const [path = '', digit = '', length, count] = process.argv.slice(2)
const file = await openAppendFile(path)
const line = Buffer.from(`${digit.repeat(Number(length))}\n`)

process.on('message', async () => {
  for (let index = 0; index < Number(count); index++) {
    const { bytes } = await file.append(line)
    if (bytes !== line.length) process.exit(1)
  }
  process.send?.('written')
})
process.once('disconnect', () => file.close())
process.send?.('ready')
