import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { freePort } from '../helpers/free-port.ts'

const UNKNOWN_PATH = 'NO_PATH_MATCHED_ERROR'
const PRISM = createRequire(import.meta.url).resolve('@stoplight/prism-cli')

export type DocumentName = 'send-threaded-message.openapi.yaml' | 'chat-apis.openapi.json'

/** Starts Prism over one of CometChat's documents: as CometChat, or as a judge in front of an upstream. */
export function startPrism(t: Test, name: DocumentName, upstream?: string) {
  const text = withVersionInPaths(readDocument(name))
  return start(t, { name, text, ...(upstream !== undefined && { upstream, flags: ['--errors'] }) })
}

/**
 * Starts Prism as a judge in front of a service: whatever is asked and answered passes, and its `sl-violations` header says
 * what is not as the document describes it.
 */
export function startJudge(t: Test, text: string, upstream: string) {
  return start(t, { name: 'openapi.json', text, upstream, flags: ['--cors=false'] })
}

interface PrismOptions {
  readonly name: string
  readonly text: string
  readonly upstream?: string
  readonly flags?: readonly string[]
}

async function start(t: Test, { name, text, upstream, flags = [] }: PrismOptions) {
  const document = join(t.testdir({ [name]: '' }), name)
  writeFileSync(document, text)
  const port = await freePort()
  const mode = upstream === undefined ? ['mock', document] : ['proxy', document, upstream, ...flags]
  const child = spawn(process.execPath, [PRISM, ...mode, '--port', String(port)], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const closed = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await closed
  })

  const lines: string[] = []
  const output = createInterface({ input: child.stdout }).on('line', line => lines.push(line))
  const says = async (text: string): Promise<void> => {
    while (!lines.some(line => line.includes(text))) await Promise.race([once(output, 'line'), refuseEnd(closed)])
  }
  await says('is listening')

  const url = `http://127.0.0.1:${port}`
  const textsAfter = (mark: string) => lines.flatMap(line => line.split(mark)[1]?.trim() ?? [])
  return {
    url,
    /** Everything it has said about the calls so far. */
    async verdicts() {
      // It answers before it logs: once it has said that it knows no such path, it has said all before that.
      await fetch(`${url}/verdicts`)
      await says(UNKNOWN_PATH)
      return {
        judged: textsAfter('Request received').length - 1,
        remarks: textsAfter('Violation: '),
        refusals: textsAfter('Request terminated with error: ').filter(text => !text.includes(UNKNOWN_PATH))
      }
    }
  }
}

export function readDocument(name: DocumentName): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

/**
 * Prism takes the path of `servers` for a matter of the upstream: it answers /messages/{id} and says 404 to
 * /v3/messages/{id}, which is what the service calls. So the version moves from the server into each path.
 */
function withVersionInPaths(document: string): string {
  return document.replaceAll(/^(\s+"?)(?=\/[\w{}/]+"?:)/gm, '$1/v3')
}

async function refuseEnd(closed: Promise<unknown[]>): Promise<never> {
  throw new Error(`Prism ended with status ${(await closed)[0]}`)
}
