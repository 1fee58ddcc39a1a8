// For `--import`: whoever asks for undici gets the version that the packed plugin has, and a test sees that somebody did.
import { registerHooks } from 'node:module'

let isUsed = false
registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'undici') return next(specifier, context)
    isUsed = true
    return next('undici-7', context)
  }
})
process.once('exit', () => {
  if (isUsed) process.stdout.write('# undici 7 was used\n')
})
