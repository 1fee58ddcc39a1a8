// Runs in the process of the service, before it: tells the parent how much memory the process holds.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { answerParent } from './child.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

answerParent('', {
  memory() {
    // What the first one only marks for a finalizer goes with the second.
    collectGarbage()
    collectGarbage()
    return process.memoryUsage()
  }
})
