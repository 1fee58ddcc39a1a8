// What was recorded of the real one, and the shape of any JSON, to compare the two.
import { readdirSync, readFileSync } from 'node:fs'

const FOLDER = new URL('../recordings/', import.meta.url)

export type RecordingFolder = 'requests' | 'responses' | 'threads' | 'errors' | 'users'

export const recordingNames = (folder: RecordingFolder): string[] =>
  readdirSync(new URL(`${folder}/`, FOLDER)).map(name => name.replace(/\.json$/, ''))

export const recording = (folder: RecordingFolder, name: string): unknown =>
  JSON.parse(readFileSync(new URL(`${folder}/${name}.json`, FOLDER), 'utf8'))

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'list' : typeof value
}

/** Every path in it with the type at its end: `data.text string`, `tags[] string`. Values are not compared. */
export function shapeOf(value: unknown, path = ''): string[] {
  const here = `${path} ${typeOf(value)}`.trim()
  if (Array.isArray(value)) return [here, ...new Set(value.flatMap(item => shapeOf(item, `${path}[]`)))]
  if (typeof value !== 'object' || value === null) return [here]
  const below = Object.entries(value).flatMap(([name, member]) =>
    shapeOf(member, path === '' ? name : `${path}.${name}`)
  )
  return path === '' ? below : [here, ...below]
}
