import type { ApiSchema } from './files.ts'

/** In words, with its bounds. */
export function typeOf(schema: ApiSchema): string {
  const { $ref, anyOf, oneOf = anyOf, allOf } = schema
  if ($ref) {
    const name = $ref.split('/').at(-1) ?? ''
    return `[${name}](#${anchorOf(name)})`
  }
  if (allOf?.[0]) return typeOf(allOf[0])
  if (oneOf) return oneOf.map(typeOf).join(' or ')
  if (schema.enum) return schema.enum.map(value => `\`${value}\``).join(', ')
  return plainType(schema)
}

function plainType({ type, items = {}, ...schema }: ApiSchema): string {
  switch (type) {
    case 'string':
      return `text${bounds(schema.minLength, schema.maxLength, 'characters')}`
    case 'integer':
      return `whole number${bounds(schema.minimum, schema.maximum, '')}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return `list of ${typeOf(items)}${bounds(schema.minItems, schema.maxItems, 'entries')}`
    case 'object':
      return `object${bounds(schema.minProperties, schema.maxProperties, 'members')}`
    default:
      return type ?? 'anything'
  }
}

const UNIT_OF_ONE: Readonly<Record<string, string>> = { characters: 'character', entries: 'entry', members: 'member' }

function bounds(least: number | undefined, most: number | undefined, unit: string): string {
  const [min, max] = [least, most].map(bound => bound?.toLocaleString('en'))
  const end = unit === '' ? '' : ` ${most === 1 || (most === undefined && least === 1) ? UNIT_OF_ONE[unit] : unit}`
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}${end}`
  if (max !== undefined) return `, at most ${max}${end}`
  return min === undefined ? '' : `, at least ${min}${end}`
}

/** As GitHub makes it of a title. */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-')
}
