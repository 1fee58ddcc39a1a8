// The code of a document, as it stands there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'

/** The first block behind `<!-- NAME -->`. */
export function blockOf(document: string, name: string): string {
  const block = document.split(`<!-- ${name} -->\n`)[1]?.match(/^```\w+\n([\s\S]*?)^```$/m)?.[1]
  if (block === undefined) throw new Error(`there is no ${name}`)
  return block
}

/** The same text with the addresses of a test in it. */
export function moved(text: string, addresses: Readonly<Record<string, string>>): string {
  return Object.entries(addresses).reduce((all, [from, to]) => all.replaceAll(from, to), text)
}

/** Runs a program of Node, with the packages of this repository, until the test ends; resolves when it says something. */
export async function runProgram(t: Test, program: string): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
}
