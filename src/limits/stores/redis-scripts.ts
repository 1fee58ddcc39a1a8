// The arithmetic of sliding-log.ts and cells.ts as scripts, on the clock of the server. A test runs both
// side by side. Each quota has one key; a Redis Cluster would be asked for one quota at a time. A quota is one field of a hash, packed: the commands are those that records need, too.
import { type Script, script } from '../../redis/scripts.ts'
import { CELL_MS, CELLS } from '../cells.ts'
import { LOG_TIMES } from '../sliding-log.ts'

const {
  WINDOW_MS,
  EARLY_MS,
  LATE_MS,
  KEPT_MS,
  OVERDUE_MS,
  MAX_LATENESS_MS,
  MAX_JITTER_MS,
  JITTER,
  MAX_LINE,
  MAX_AHEAD_MS
} = LOG_TIMES
/** An instance that has not asked for so long is gone. */
const BEAT_KEPT_SECONDS = 60

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** What is not shaped like ours is forgotten: a quota is no truth about a reply. */
const STATE = `
local key = KEYS[1]
local function numbers(list)
  local kept = {}
  if type(list) == 'table' then
    for _, value in ipairs(list) do if type(value) == 'number' then kept[#kept + 1] = value end end
  end
  return kept
end
local function load()
  local field = redis.pcall('HMGET', key, 'q')
  if field.err then redis.call('DEL', key) return {} end
  if not field[1] then return {} end
  local ok, state = pcall(cmsgpack.unpack, field[1])
  return ok and type(state) == 'table' and state or {}
end
local function save(state, keptMs)
  redis.call('HSET', key, 'q', cmsgpack.pack(state))
  redis.call('PEXPIRE', key, string.format('%.0f', math.max(1, keptMs)))
end
`

const LOG = `${STATE}
local state = load()
local charged, promised, tags = numbers(state[1]), numbers(state[2]), numbers(state[3])
if #promised ~= #tags then promised, tags = {}, {} end
local function countUpTo(times, untilMs)
  local count = 0
  while count < #times and times[count + 1] <= untilMs do count = count + 1 end
  return count
end
local function drop(times, count)
  local rest = {}
  for index = count + 1, #times do rest[#rest + 1] = times[index] end
  return rest
end
local function insert(times, at)
  local index = #times
  while index > 0 and times[index] > at do index = index - 1 end
  table.insert(times, index + 1, at)
  return index + 1
end
local function giveBack(at, units)
  local found = 0
  for index = #charged, 1, -1 do
    if charged[index] == at and found < units then table.remove(charged, index) found = found + 1 end
  end
  return found > 0 and found == units
end
local function keep()
  if #charged == 0 and #promised == 0 then redis.call('DEL', key) return end
  local last = math.max((charged[#charged] or 0) + ${WINDOW_MS}, (promised[#promised] or 0) + ${KEPT_MS})
  save({ charged, promised, tags }, math.min(last - now, ${MAX_AHEAD_MS + WINDOW_MS}))
end
`

/** ARGV: units, limit, random, lateness and tag in one text: each value of a command costs its maker as much as all of them. */
const CHARGE = `${LOG}
local units, limit, random, lateness, tag = string.match(ARGV[1], '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
units, limit, random, lateness, tag = tonumber(units), tonumber(limit), tonumber(random), tonumber(lateness), tonumber(tag)
local latest = now + ${MAX_LATENESS_MS}
for index = #charged, 1, -1 do
  if charged[index] <= latest then break end
  charged[index] = latest
end
charged = drop(charged, countUpTo(charged, now - ${WINDOW_MS}))
local isAhead = (promised[#promised] or 0) > now + ${MAX_AHEAD_MS}
local over = isAhead and #promised or countUpTo(promised, now - ${KEPT_MS})
promised, tags = drop(promised, over), drop(tags, over)

local function takePlaces()
  local places, isTaken = {}, {}
  for place = 1, countUpTo(promised, now) do
    if #places < units and tags[place] == tag then places[#places + 1] = place end
  end
  for place = 1, countUpTo(promised, now - ${OVERDUE_MS}) do
    if #places < units and tags[place] ~= tag then places[#places + 1] = place end
  end
  if #places < units then return false end
  table.sort(places)
  for index = #places, 1, -1 do
    table.remove(promised, places[index])
    table.remove(tags, places[index])
  end
  return true
end

local free = limit - #charged
local admitted = free >= units
if admitted and #promised > 0 then
  local flooded = #promised >= ${MAX_LINE} * limit
  admitted = takePlaces() or flooded or free - #promised >= units
end
local told
if admitted then
  told = now + lateness
  for _ = 1, units do insert(charged, told) end
else
  local place = #charged + #promised - limit + units - 1
  local before = place < #charged and charged[place + 1] or (promised[place - #charged + 1] or 0) + ${LATE_MS}
  local wait = (before or 0) + ${WINDOW_MS} - now
  local jitter = random * math.min(${MAX_JITTER_MS}, math.max(0, wait) * ${JITTER})
  told = math.max(1, math.ceil((wait + jitter + ${EARLY_MS}) / 1000)) * 1000
  if #promised < ${MAX_LINE} * limit then
    for _ = 1, units do table.insert(tags, insert(promised, now + told - ${EARLY_MS}), tag) end
  end
end
keep()
local nextIn = charged[1] and charged[1] + ${WINDOW_MS} - now or 0
return { admitted and 1 or 0, told, math.max(0, limit - #charged - #promised), nextIn }
`

/** Of each charge. */
export const ANSWER_VALUES = 4

/** Several charges, each with its key and its ARGV, one after the other: most of what a charge costs is its command. */
const CHARGES = `
local function one(KEYS, ARGV)
${CHARGE}
end
local answers = {}
for index = 1, #KEYS do
  for _, value in ipairs(one({ KEYS[index] }, { ARGV[index] })) do answers[#answers + 1] = value end
end
return answers
`

/** ARGV: date, units. */
const GIVE_BACK = `${LOG}
local found = giveBack(tonumber(ARGV[1]), tonumber(ARGV[2]))
keep()
return { found and 1 or 0 }
`

/** ARGV: date, units. */
const MOVE = `${LOG}
local at, units = tonumber(ARGV[1]), tonumber(ARGV[2])
if now > at and giveBack(at, units) then for _ = 1, units do insert(charged, now) end end
keep()
return { 1 }
`

/**
 * ARGV: wanted, limit, force, the instance, then second and units of what is returned. Answers: granted, second, used,
 * instances, then when units become free.
 */
const RESERVE = `${STATE}
local wanted, limit, force, instance = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local state = load()
local seconds, units = numbers(state[1]), numbers(state[2])
local beats = type(state[3]) == 'table' and state[3] or {}
if #seconds ~= #units then seconds, units = {}, {} end
for index = 5, #ARGV, 2 do
  local at, back = tonumber(ARGV[index]), tonumber(ARGV[index + 1])
  for place = 1, #seconds do
    if seconds[place] == at then units[place] = math.max(0, units[place] - back) end
  end
end
local second, total = math.floor(now / ${CELL_MS}), 0
local keptSeconds, keptUnits = {}, {}
local isAhead = #seconds > 0 and seconds[#seconds] > second
for place = 1, #seconds do
  if isAhead or seconds[place] > second - ${CELLS} then
    total = total + units[place]
    if not isAhead then keptSeconds[#keptSeconds + 1], keptUnits[#keptUnits + 1] = seconds[place], units[place] end
  end
end
if isAhead then keptSeconds, keptUnits = { second }, { total } end
local granted = math.max(0, math.min(wanted, limit - total - force))
local added = granted + force
if added > 0 then
  if keptSeconds[#keptSeconds] == second then keptUnits[#keptUnits] = keptUnits[#keptUnits] + added
  else keptSeconds[#keptSeconds + 1], keptUnits[#keptUnits + 1] = second, added end
end
local alive, instances = {}, 0
beats[instance] = second
for name, at in pairs(beats) do
  if type(at) == 'number' and at <= second and at > second - ${BEAT_KEPT_SECONDS} then
    alive[name] = at
    instances = instances + 1
  end
end
save({ keptSeconds, keptUnits, alive }, ${(CELLS + 1) * CELL_MS})
local answer = { granted, second, total + added, instances }
if granted < wanted then
  for place = 1, #keptSeconds do
    if keptUnits[place] > 0 then
      answer[#answer + 1] = (keptSeconds[place] + ${CELLS}) * ${CELL_MS} - now
      answer[#answer + 1] = keptUnits[place]
    end
  end
end
return answer
`

export type QuotaScripts = Readonly<Record<'charge' | 'giveBack' | 'move' | 'reserve', Script>>

/** `timeShim` is Lua that changes `now`, for tests, which cannot move the clock of a Redis. */
export function quotaScripts(timeShim = ''): QuotaScripts {
  const timed = (lua: string): Script => script(NOW + timeShim + lua)
  return { charge: timed(CHARGES), giveBack: timed(GIVE_BACK), move: timed(MOVE), reserve: timed(RESERVE) }
}
