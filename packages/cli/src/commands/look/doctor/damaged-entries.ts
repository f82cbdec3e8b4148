import { hostname } from "node:os";
import { alertDamage } from "@ojm/alerts";
import type { Channel, JobManager, Key } from "@ojm/core";
import { type DamageCheck, type DamagedEntry, shellWord, unlessCorrupt } from "@ojm/core/internal";
import { DAMAGE_CHECKS, damagedEntries } from "@ojm/core/internal/operator";
import { scheduleDamage } from "@ojm/schedule";
import { CommandError, notFound } from "../../../errors.js";
import { author } from "../../act/reason.js";
import { isCommandNote } from "../../exec/predecessor.js";
import { isRefusals } from "../../exec/refusals.js";
import { count, type Finding, note, ok, problem, warning } from "./finding.js";

/** How many entries of a channel, or of a kind, are checked. */
const ENTRIES_LIMIT = 20_000;

/** How many damaged entries are listed. */
const NAMED = 50;

/** Finds the damaged notes of `ojm exec`. */
const noteDamage: DamageCheck = {
  channel: "oJobManager-locks",
  isDamaged: ({ key, value }) => {
    const [kind, name] = (Array.isArray(key) ? key : []) as readonly unknown[];
    if (typeof name !== "string") return false;
    return (kind === "exec" && !isCommandNote(value)) || (kind === "exec-refused" && !isRefusals(value));
  },
  prefixes: [["exec"], ["exec-refused"]],
};

const CHECKS: readonly DamageCheck[] = [...DAMAGE_CHECKS, noteDamage, scheduleDamage, alertDamage];

/** Finds entries that cannot be used, and those of a later version: the other commands do not show them. */
export async function checkEntries(manager: JobManager): Promise<Finding[]> {
  const found: DamagedEntry[] = [];
  const unknown = new Map<string, Key[]>();
  for await (const one of damagedEntries(manager, CHECKS, ENTRIES_LIMIT)) {
    if (one.unknown !== true) found.push(one);
    else if (!unknown.get(one.channel)?.push(one.key)) unknown.set(one.channel, [one.key]);
  }
  const notes = [...unknown].map(([channel, keys]) => unknownIn(channel, keys));
  if (found.length === 0) return [ok("entries", "none is damaged"), ...notes];
  const named = found.slice(0, NAMED).map(findingOf);
  const more = found.length - named.length;
  if (more === 0) return [...named, ...notes];
  const rest = warning("entries", `${count(more, "more entry", "more entries")} damaged: remove these first`);
  return [...named, rest, ...notes];
}

/** How many unknown entries of a channel are named. */
const EXAMPLES = 5;

/** The entries of a channel with a value that this version of ojm does not know. */
function unknownIn(channel: string, keys: readonly Key[]): Finding {
  const examples = keys.slice(0, EXAMPLES).map((key) => entryText(channel, key));
  const [have, them] = keys.length === 1 ? ["has a value", "it"] : ["have values", "them"];
  const named = `${examples.join(", ")}${keys.length > examples.length ? ", …" : ""}`;
  const text = `${count(keys.length, "entry", "entries")} ${have} that this version of ojm does not know, so it leaves ${them} alone: ${named}`;
  const help = "a later version of ojm writes such values: use that version to work on them";
  return note("entries", text, { help, evidence: { channel, unknown: keys.length } });
}

function findingOf({ channel, key, lock }: DamagedEntry): Finding {
  const entry = entryText(channel, key);
  const text = `the entry ${entry} is damaged`;
  const evidence = { channel, key: key as never };
  const remove = `ojm doctor --remove ${shellWord(entry)}`;
  if (lock === undefined)
    return warning("entries", `${text}: no command shows it`, { help: `to remove it: ${remove}`, evidence });
  const help = `its holder is unknown. Once you know that no process runs "${lock}": ${remove}`;
  return problem("entries", `${text}: no process can acquire this lock`, { help, evidence });
}

/** An entry as one word of printable ASCII: its parts may be any text. */
function entryText(channel: string, key: Key): string {
  return JSON.stringify([channel, key]).replace(/[^!-~]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Removes a damaged entry. Rejects any other entry. Resolves to the entry, as text. */
export async function removeDamaged(manager: JobManager, word: string): Promise<string> {
  const { channel: name, key } = parsed(word);
  const checks = CHECKS.filter(({ channel }) => channel === name);
  if (checks.length === 0) throw new CommandError(`"${name}" is not a channel whose entries doctor checks`);
  const { locks } = manager.channels;
  const channel = await manager.channelOf(name);
  let version: string | undefined;
  for await (const one of channel.keys({ prefix: key, limit: 1 }))
    if (JSON.stringify(one.key) === JSON.stringify(key)) ({ version } = one);
  const text = entryText(name, key);
  if (version === undefined) throw notFound(`there is no entry ${text}`);
  const entry = await unlessCorrupt(channel.entry(key));
  if (!checks.some(({ isDamaged }) => isDamaged({ key, value: entry?.value })))
    throw new CommandError(`the entry ${text} is not damaged: nothing was done`);
  const by = { host: hostname(), pid: process.pid, instance: "ojm-doctor" };
  const ops = [{ check: key, version }, { delete: key }];
  const act = {
    action: "remove-damaged",
    name: nameIn(name, key),
    reason: "it was damaged",
    by,
    author: author(),
    details: { entry: text },
  };
  const noted = channel.joins(locks as Channel<unknown>) ? [manager.auditOps(act)] : [];
  const { ok: removed } = await channel.commitWith<unknown[]>(ops, noted as never);
  if (!removed) throw new CommandError(`the entry ${text} was changed meanwhile: nothing was done`);
  return text;
}

function nameIn(channel: string, key: Key): string {
  if (typeof key !== "object") return "*";
  // The key of a log starts with its job, all others with the kind of the entry.
  const isLog = channel === "oJobManager-logs";
  const parts: readonly unknown[] = Array.isArray(key) ? key.slice(isLog ? 0 : 1) : Object.values(key);
  return String(parts.find((part) => typeof part === "string" && part !== "") ?? "*");
}

function parsed(word: string): { readonly channel: string; readonly key: Key } {
  try {
    const [channel, key] = JSON.parse(word) as readonly [unknown, Key];
    const isKey = typeof key === "string" || (typeof key === "object" && key !== null);
    if (typeof channel === "string" && isKey) return { channel, key };
  } catch {
    // The error below covers it.
  }
  throw new CommandError(
    `--remove takes an entry as ojm doctor prints it, such as '["oJobManager-locks",["lock","a"]]'`,
  );
}
