import { createHash } from "node:crypto";

/*
 * What runs inside the server. A script is one step for everybody else, which is all that atomicity here rests on.
 *
 * What a channel called "jobs" has in Redis, with the prefix "ojm:":
 *
 *   ojm:{jobs}             sorted set   the keys of its entries, all with score 0: that makes the set ordered by bytes
 *   ojm:{jobs}:KEY         hash         an entry: n its version, v its value, x its deadline in µs, if it has one
 *   ojm:{jobs}             pub/sub      what was written, for watches
 *   ojm:version            string       the last version given out (in a Cluster, ojm:version:{jobs}, one per channel)
 *
 * An entry with a deadline expires by Redis' own means and leaves its key behind in the set. Whoever comes across such a key
 * removes it, in the same step that saw the entry missing: so the key of a fresh write is never taken away.
 *
 * Numbers in Lua are doubles, exact up to 2^53: microseconds since 1970 get there in the year 2255.
 */

const LOOK = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Version, value and remaining microseconds of an entry. Redis shows a key during the whole millisecond of its deadline; x is
-- exact. An entry at its deadline is no entry.
local function look(key)
  local entry = redis.call('HMGET', key, 'n', 'v', 'x')
  if not entry[3] then return entry[1], entry[2], false end
  local left = entry[3] - now
  if left <= 0 then return false, false, false end
  return entry[1], entry[2], left
end

local function add(list, key)
  local version, value, left = look(key)
  local n = #list
  list[n + 1], list[n + 2], list[n + 3] = version, value, left
end
`;

/**
 * KEYS: the entries to read.
 * Answers version, value and remaining microseconds of each.
 */
const READ = `${LOOK}
local found = {}
for i = 1, #KEYS do add(found, KEYS[i]) end
return found
`;

/**
 * KEYS: the set of keys.
 * ARGV: lower and upper bound, "reverse" or "", the most entries to return, "values" or "".
 * Answers where to go on ("" at the end), then key, version, value and remaining microseconds of each entry.
 */
const SCAN = `${LOOK}
local from, to, reverse, limit, values = ARGV[1], ARGV[2], ARGV[3] ~= '', tonumber(ARGV[4]), ARGV[5] ~= ''
local found, looked, result = 0, 0, {''}

-- A script stops the whole server. Behind a long row of expired entries the caller comes back for the rest.
while found < limit and looked < 10000 do
  local want = math.min(limit - found, 1000)
  local members
  if reverse then
    members = redis.call('ZRANGE', KEYS[1], to, from, 'BYLEX', 'REV', 'LIMIT', 0, want)
  else
    members = redis.call('ZRANGE', KEYS[1], from, to, 'BYLEX', 'LIMIT', 0, want)
  end
  for _, member in ipairs(members) do
    local version, value, left = look(KEYS[1] .. ':' .. member)
    if version then
      local n = #result
      result[n + 1], result[n + 2], result[n + 3], result[n + 4] = member, version, values and value or '', left
      found = found + 1
    else
      -- A server that refuses writes (its disk is full, say) can still be read.
      redis.pcall('ZREM', KEYS[1], member)
    end
  end
  looked = looked + #members
  if #members < want then return result end
  local beyond = '(' .. members[#members]
  if reverse then to = beyond else from = beyond end
  result[1] = beyond
end
return result
`;

/**
 * KEYS: the last version; the entry of each check; of each write, the entry and the set of keys.
 * ARGV: the number of checks, the number of puts, PUBLISH or SPUBLISH; the version of each check ("" for absent); of each write
 * the key, "delete" or its time to live in ms ("" for none), and the value.
 * Answers the new version, or, where a check failed, a list like that of READ for all checks.
 */
const COMMIT = `${LOOK}
local checks, puts, publish = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

for i = 1, checks do
  if (look(KEYS[1 + i]) or '') ~= ARGV[3 + i] then
    local current = {}
    for j = 1, checks do add(current, KEYS[1 + j]) end
    return current
  end
end

-- Not below the clock: a server that restarts without its data must not give out a version a second time.
local last = tonumber(redis.call('GET', KEYS[1]) or 0)
local version = string.format('%.0f', math.max(last + 1, now))

-- Redis does not undo what a failed script did, but it refuses a script for lack of memory at its first write only. So that
-- nothing is done by halves, the first write is one that can be refused where there are puts, and one that cannot where there
-- are only deletes: these must work on a full server too.
if puts > 0 then redis.call('SET', KEYS[1], version) end

local expiring
local k, a = 2 + checks, 4 + checks
while k < #KEYS do
  local entry, index, member, mode, value = KEYS[k], KEYS[k + 1], ARGV[a], ARGV[a + 1], ARGV[a + 2]
  if mode == 'delete' then
    if redis.call('DEL', entry) == 1 then
      redis.call(publish, index, version .. ' delete ' .. member)
    end
    redis.call('ZREM', index, member)
  else
    -- Away with the old deadline too.
    redis.call('DEL', entry)
    redis.call('HSET', entry, 'n', version, 'v', value)
    redis.call('ZADD', index, 0, member)
    if mode ~= '' then
      local deadline = math.min(now + mode * 1000, 9007199254740991)
      redis.call('HSET', entry, 'x', string.format('%.0f', deadline))
      redis.call('PEXPIREAT', entry, string.format('%.0f', math.ceil(deadline / 1000)))
      expiring = index
    end
    redis.call(publish, index, version .. ' ' .. mode .. ' ' .. member .. '\\0' .. value)
  end
  k, a = k + 2, a + 3
end

if puts == 0 then redis.call('SET', KEYS[1], version) end

-- Entries that expire leave their keys in the set. Looking at three of them for each one added keeps these a minority.
if expiring then
  local some = redis.pcall('ZRANDMEMBER', expiring, 3)
  for _, member in ipairs(some) do
    if redis.pcall('EXISTS', expiring .. ':' .. member) == 0 then redis.pcall('ZREM', expiring, member) end
  end
end
return version
`;

/** A script and the hash by which a server that saw it before knows it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

function script(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

export const readScript: Script = script(READ);
export const scanScript: Script = script(SCAN);
export const commitScript: Script = script(COMMIT);
