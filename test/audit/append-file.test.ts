// What goes into a file that several processes append to: whole lines, whatever their length.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openAppendFile } from '../../src/audit/append-file.ts'

const TURNS = 30
const LINES_A_TURN = 5
const directory = mkdtempSync(join(tmpdir(), 'append-'))
t.teardown(() => rmSync(directory, { recursive: true }))

t.test('lines of four processes never stand in one another, even if each is longer than any pipe takes', async t => {
  const path = join(directory, 'shared')
  const writer = new URL('append-process.ts', import.meta.url)
  const lengths = ['1000', '5000', '60000', '200000']

  const children = lengths.map((length, index) => fork(writer, [path, `${index}`, length, `${LINES_A_TURN}`]))
  const exits = children.map(child => once(child, 'exit'))
  await Promise.all(children.map(child => once(child, 'message')))
  // All begin each turn together, so that none is done before another has begun, however busy the machine is.
  for (let turn = 0; turn < TURNS; turn++) {
    await Promise.all(
      children.map(child => {
        const written = once(child, 'message')
        child.send('write')
        return written
      })
    )
  }
  for (const child of children) child.disconnect()
  const codes = (await Promise.all(exits)).map(([code]) => code)

  t.same(codes, [0, 0, 0, 0])
  const lines = readFileSync(path, 'latin1').trimEnd().split('\n')
  t.equal(lines.length, 4 * TURNS * LINES_A_TURN)
  t.same(
    lines.filter(line => line !== String(line[0]).repeat(Number(lengths[Number(line[0])]))),
    []
  )
  const changes = lines.filter((line, index) => index > 0 && line[0] !== lines[index - 1]?.[0]).length
  t.ok(changes >= 3 * TURNS, `they wrote in turns: ${changes} changes of the writer`)
})

t.test('the file is made for this user alone, and what is there stays', async t => {
  const path = join(directory, 'new')
  await (await openAppendFile(path)).close()
  t.equal(statSync(path).mode & 0o777, 0o600)

  writeFileSync(path, 'before\n')
  const file = await openAppendFile(path)
  t.same(await file.append(Buffer.from('after\n')), { bytes: 6 })
  await file.sync()
  await file.close()
  t.equal(readFileSync(path, 'utf8'), 'before\nafter\n')
})

t.test('a disk without room is told by its code, and nothing is thrown', async t => {
  const file = await openAppendFile('/dev/full')

  t.same(await file.append(Buffer.from('text\n')), { bytes: 0, code: 'ENOSPC' })
  t.equal(await file.wasMoved(), false, 'what is no file cannot be renamed')
  await file.close()
})
