import { hostname } from "node:os";
import { compareVersions, type HeldLock, type JobManager, type RunRecord } from "@ojm/core";
import {
  isSession,
  type ProcessIdentity,
  present,
  processState,
  readable,
  VERSIONS,
  visible,
} from "@ojm/core/internal";
import type { SchedulerView } from "@ojm/schedule";
import { count, type Finding, note, ok, problem, warning } from "./finding.js";

/** A session of a process, as stored. */
export interface Session {
  readonly id: string;
  readonly process: ProcessIdentity;
  readonly since: number;
  readonly beat: number;
  /** The version of ojm in its process, if that wrote it. */
  readonly ojm?: string;
  /** The rest of its time to live, in ms. */
  readonly left: number;
}

/** The sessions of a store, without holds and damaged entries. */
export async function sessionsOf({ channels: { locks } }: JobManager): Promise<Session[]> {
  const sessions: Session[] = [];
  for await (const { key, value, expiresIn } of readable(locks, { prefix: ["session"] })) {
    const [, owner] = key as readonly unknown[];
    if (!isSession(value, String(owner)) || value.hold === true) continue;
    const { id, process, since, beat, ojm } = value;
    sessions.push({ id, process, since, beat, ...present({ ojm }), left: expiresIn ?? Number.POSITIVE_INFINITY });
  }
  return sessions;
}

/** A process that uses the store. `ojm` is missing if its version did not write it. */
interface VersionedProcess {
  readonly host: string;
  readonly pid: number;
  readonly ojm?: string;
}

/** The processes with sessions or schedulers, each once, by host and pid. */
function processesOf(sessions: readonly Session[], schedulers: readonly SchedulerView[]): VersionedProcess[] {
  const processes = new Map<string, VersionedProcess>();
  for (const { by, ojm } of schedulers)
    processes.set(`${by.pid} ${by.host}`, { host: by.host, pid: by.pid, ...present({ ojm }) });
  for (const { ojm, process } of sessions) {
    const { host, pid } = process;
    processes.set(`${pid} ${host}`, { host, pid, ...present({ ojm }) });
  }
  return [...processes.values()].toSorted((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.pid - b.pid));
}

/** The versions of ojm in use, each with the processes that have it. */
function versionsText(processes: readonly VersionedProcess[]): string {
  const byVersion = new Map<string, VersionedProcess[]>();
  for (const one of processes) {
    const version = one.ojm === undefined ? "an earlier version" : visible(one.ojm);
    byVersion.set(version, [...(byVersion.get(version) ?? []), one]);
  }
  const texts = [...byVersion].map(([version, all]) => {
    const named = all.slice(0, NAMED).map(({ host, pid }) => `${visible(host)}, pid ${pid}`);
    const more = all.length - named.length;
    return `${version} in ${[...named, ...(more > 0 ? [`${more} more`] : [])].join("; ")}`;
  });
  return texts.join(" · ");
}

/** How many processes of each version are named. */
const NAMED = 5;

/**
 * Compares the versions of this process with those of the newest runs, and lists those of the processes that
 * hold or want a lock, or can run schedules. Several of these are a note: a rollout is on its way, or a host
 * was forgotten.
 */
export function checkVersions(
  runs: readonly RunRecord[],
  sessions: readonly Session[],
  schedulers: readonly SchedulerView[],
): Finding[] {
  const processes = processesOf(sessions, schedulers);
  const found = comparedWithRuns(runs, processes);
  const versions = new Set([VERSIONS.ojm, ...processes.map(({ ojm }) => ojm)]);
  if (processes.length === 0) return [found];
  const inUse = versionsText(processes);
  if (versions.size === 1) return [{ ...found, text: `${found.text}. In use: ${inUse}` }];
  const help = "during a rollout this is normal: a version leaves alone what only a later one knows";
  const evidence = { processes: processes.map((one) => ({ ...one })) };
  return [found, note("versions", `several versions of ojm are in use: ${inUse}`, { help, evidence })];
}

function comparedWithRuns(runs: readonly RunRecord[], processes: readonly VersionedProcess[]): Finding {
  const others = new Map<string, number>();
  for (const { versions } of runs) {
    if (versions === undefined || (versions.ojm === VERSIONS.ojm && versions.node === VERSIONS.node)) continue;
    const text = say(versions);
    others.set(text, (others.get(text) ?? 0) + 1);
  }
  const evidence = {
    here: { ...VERSIONS },
    runs: runs.length,
    others: Object.fromEntries(others),
    processes: processes.map((one) => ({ ...one })),
  };
  const here = `${say(VERSIONS)} here`;
  if (runs.length === 0) return ok("versions", `${here}; no run to compare with`, { evidence });
  if (others.size === 0) return ok("versions", `${here}, and in the last ${count(runs.length, "run")}`, { evidence });
  const list = [...others].map(([text, runs]) => `${text} in ${count(runs, "run")}`);
  const help = "install the same version everywhere; during a rollout, this warning is normal";
  const text = `${here}, and of the last ${count(runs.length, "run")}: ${list.join(", ")}`;
  return warning("versions", text, { help, evidence });
}

function say({ ojm, node }: NonNullable<RunRecord["versions"]>): string {
  return `ojm ${ojm} on Node ${node}`;
}

/** The sessions of processes: which are alive, which are not, and on which hosts they are. */
export function checkSessions(sessions: readonly Session[], quiet: ReadonlySet<string>): Finding[] {
  const [alive, stale] = [[] as Session[], [] as Session[]];
  for (const session of sessions) {
    const isStale = processState(session.process) === "gone" || quiet.has(session.id);
    (isStale ? stale : alive).push(session);
  }
  const hosts: Record<string, number> = {};
  for (const { process } of alive) hosts[process.host] = (hosts[process.host] ?? 0) + 1;
  const from = Object.entries(hosts).map(([host, number]) => `${host}: ${number}`);
  const text =
    alive.length === 0
      ? "no process holds or wants a lock"
      : // Without its condition, the number would be taken for that of the running processes.
        `${count(alive.length, "session")} (${from.join(", ")}): a process has one only while it holds or wants a lock, and for a moment after`;
  return [
    ok("sessions", text, { evidence: { alive: alive.length, hosts } }),
    ...stale.map(({ id, process: { host, pid }, left }) => {
      const gone = `pid ${pid} on ${host} does not renew its session`;
      const help = `its locks are free in ${Math.ceil(left / 1_000)} s at most, or as soon as another run needs one: there is nothing to do`;
      return warning("sessions", gone, { help, evidence: { session: id, host, pid, left } });
    }),
  ];
}

/** Smaller differences come from the round trip to the store and are left out, in ms. */
const TOLERANCE = 2_000;

/** A time by the clock of a host. A version gives its order among other writes. */
interface Stamp {
  readonly host: string;
  readonly at: number;
  readonly version?: string;
}

/** What the store shows about the clocks of other hosts. */
interface SeenTimes {
  readonly now: number;
  readonly locks: readonly HeldLock[];
  readonly sessions: readonly Session[];
  readonly runs: readonly RunRecord[];
}

/**
 * Compares the clocks, as far as the store shows them. A time in our future was written by a clock that is
 * ahead. Of two locks, the one taken later must not have the earlier time.
 */
export function checkClocks({ now, locks, sessions, runs }: SeenTimes): Finding[] {
  const taken = locks.map(({ holder, since, fence }): Stamp => ({ host: holder.host, at: since, version: fence }));
  const stamps: Stamp[] = [
    ...taken,
    ...sessions.map(({ process, since }) => ({ host: process.host, at: since })),
    ...runs.map(({ holder, startTime }) => ({ host: holder.host, at: startTime })),
  ];
  const ahead = new Map<string, number>();
  for (const { host, at } of stamps) ahead.set(host, Math.max(ahead.get(host) ?? 0, at - now));
  const found = [...ahead]
    .filter(([, ms]) => ms > TOLERANCE)
    .map(([host, ms]) => offset(host, "ahead of this one", ms));
  const behind = behindOthers(taken).map(([host, other, ms]) => offset(host, `behind that of ${other}`, ms));
  const all = [...found, ...behind];
  if (all.length > 0) return all;
  const others = [...ahead.keys()].filter((host) => host !== hostname());
  const text =
    others.length === 0
      ? "the store has no time of another host to compare with"
      : `no offset is seen of ${others.join(", ")}`;
  return [ok("clocks", text, { evidence: { hosts: others } })];
}

function offset(host: string, than: string, ms: number): Finding {
  const text = `the clock of ${host} is ${than} by ${(ms / 1_000).toFixed(1)} s or more`;
  const help = "set the clocks by NTP: schedules and the times in records depend on them";
  return (ms > 60_000 ? problem : warning)("clocks", text, { help, evidence: { host, ms } });
}

/** Hosts that took a lock after another host did, but at an earlier time. */
function behindOthers(taken: readonly Stamp[]): [host: string, other: string, ms: number][] {
  const inOrder = taken.toSorted((a, b) => compareVersions(a.version ?? "0", b.version ?? "0"));
  const found = new Map<string, [string, string, number]>();
  let latest: Stamp | undefined;
  for (const stamp of inOrder) {
    if (latest === undefined || stamp.at > latest.at) latest = stamp;
    const ms = latest.at - stamp.at;
    if (stamp.host === latest.host || ms <= TOLERANCE || ms <= (found.get(stamp.host)?.[2] ?? 0)) continue;
    found.set(stamp.host, [stamp.host, latest.host, ms]);
  }
  return [...found.values()];
}
