// The service as `npm start` starts it, in a process that also tells its parent how much memory it holds.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { answerParent } from './child.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

await import('../src/server.ts')
answerParent('', {
  memory() {
    // What the first one only marks for a finalizer goes with the second.
    collectGarbage()
    collectGarbage()
    return process.memoryUsage()
  }
})
