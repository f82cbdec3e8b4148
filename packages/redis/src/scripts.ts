import { createHash } from "node:crypto";
import type { RedisClient } from "./connection/client.js";
import { isNoScript } from "./errors.js";

/*
 * The scripts that run inside the server. For all other clients a script is one atomic step, and all
 * atomicity of this backend rests on that.
 *
 * The data of a channel "jobs" in Redis, with the prefix "ojm:":
 *
 *   ojm:{jobs}          sorted set   the keys of its entries, with score 0: so the set is ordered by bytes
 *   ojm:{jobs}:KEY      string       its version, deadline in µs (or "-") and value, with spaces
 *   ojm:{jobs}          pub/sub      what was written, for watches
 *   ojm:{jobs}:KEY      pub/sub      what was written to this entry, for watches of it alone
 *   ojm:version         string       the last version (in a Cluster one per channel, ojm:{jobs}.version)
 *   ojm:layout          string       the number of this layout
 *
 * Redis itself expires an entry at its deadline, but the key of the entry stays in the set. A script that
 * finds such a key removes it in the same step that saw the entry missing, so the key of a fresh write is
 * never removed.
 *
 * Numbers in Lua are doubles, exact up to 2^53. Microseconds since 1970 reach that in the year 2255.
 */

/** The moment of a script, in its parts and in µs. */
export const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
`;

/** The functions that decode an entry. */
export const LOOK = `
-- Version, value and remaining microseconds of an entry. Redis shows a key during the whole millisecond of its
-- deadline. The deadline in the entry is exact: from that moment on the entry is gone. A value that ojm did not
-- write gets the version "?". It must not fail the whole script, which may concern other entries too.
local function look(entry)
  if not entry or entry == '' then return false, false, false end
  local version, deadline, value = string.match(entry, '^(%d+) ([%d-]+) (.*)$')
  if deadline == '-' then return version, value, false end
  local last = tonumber(deadline)
  if not last then return '?', '', false end
  local left = last - now
  if left <= 0 then return false, false, false end
  return version, value, left
end

local function add(list, entry)
  local version, value, left = look(entry)
  local n = #list
  list[n + 1], list[n + 2], list[n + 3] = version, value, left
end
`;

/** KEYS: the entries to read. Returns version, value and remaining microseconds of each. */
const READ = `${CLOCK}${LOOK}
local found = {}
for i = 1, #KEYS do add(found, redis.call('GET', KEYS[i])) end
return found
`;

/**
 * KEYS: the set of keys.
 * ARGV: lower and upper bound, "reverse" or "", the most entries to return, "values" or "".
 * Returns where to continue ("" at the end), then key, version, value and remaining microseconds of each
 * entry.
 */
const SCAN = `${CLOCK}${LOOK}
local from, to, reverse, limit, values = ARGV[1], ARGV[2], ARGV[3] ~= '', tonumber(ARGV[4]), ARGV[5] ~= ''
local found, looked, result = 0, 0, {''}

-- A script stops the whole server. After a long row of expired entries, return: the caller calls again.
while found < limit and looked < 10000 do
  local want = math.min(limit - found, 1000)
  local members
  if reverse then
    members = redis.call('ZRANGE', KEYS[1], to, from, 'BYLEX', 'REV', 'LIMIT', 0, want)
  else
    members = redis.call('ZRANGE', KEYS[1], from, to, 'BYLEX', 'LIMIT', 0, want)
  end
  for _, member in ipairs(members) do
    local version, value, left = look(redis.call('GET', KEYS[1] .. ':' .. member))
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

/** A script, and the hash by which a server that has seen it before identifies it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** Makes a script of its source. */
export function script(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

export const readScript: Script = script(READ);
export const scanScript: Script = script(SCAN);

/** Runs a script by its hash; by its text if the server does not know it, as after a restart. */
export async function evaluate(
  client: RedisClient,
  { sha, source }: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!isNoScript(error)) throw error;
    return client.eval(source, keys.length, ...keys, ...args);
  }
}
