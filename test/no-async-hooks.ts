// Loaded before a test file. By async hooks tap would know to which test an error belongs that no promise of a test leads
// to, and every promise of the process pays for that: up to two thirds of what a test of the stores or of the model
// costs, a tenth of the others. Without them such an error ends the process, and the file has failed as well.
import hooks from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'

hooks.createHook = () => {
  const hook = { enable: () => hook, disable: () => hook }
  return hook
}
syncBuiltinESMExports()
