import { covered, type Stretch } from "../scene/lag-watch.js";
import type { EventOf, Member } from "../scene/member.js";
import type { Scene } from "../scene/scene.js";

/** A run, put together from the journal of its process. */
export interface ObservedRun {
  readonly member: Member;
  readonly id: string;
  readonly name: string;
  readonly fence: string;
  readonly enter: number;
  /** `undefined` if grants and renewals are not observed. */
  readonly session: string | undefined;
  /**
   * When it requested the lock that it got, or when its body began if that is not known. Between the two, the
   * lock may be taken from it.
   */
  readonly since: number;
  /** How long from then on it may hold the lock at most. Other processes take it as soon as that is over. */
  readonly timeout: number;
  /**
   * Whether its signal had fired before its body began: the answer of the store came when the lease was
   * already over.
   */
  readonly wasSignalled: boolean;
  /** The id of its record, if no caller gets its end: a schedule, a retry or a worker started it. */
  readonly record?: string;
  /** The group of its item. */
  readonly group?: string;
  /** Whether its body threw, or the run counts as skipped. */
  fails?: boolean;
  skips?: boolean;
  signal?: { readonly t: number; readonly code: string; readonly why?: string };
  exit?: number;
  settled?: { readonly t: number; readonly outcome: string; readonly why?: string };
}

/** Every run whose body began, in the order in which the bodies began. */
export function runsOf(members: readonly Member[]): ObservedRun[] {
  const runs: ObservedRun[] = [];
  for (const member of members) {
    const own = new Map<string, ObservedRun>();
    const grants = new Map<string, EventOf<"granted">>();
    for (const event of member.events) {
      if (event.e === "granted") {
        grants.set(`${event.name} ${event.fence}`, event);
      } else if (event.e === "enter") {
        const { id, name, fence, timeout, run: record, group } = event;
        const grant = grants.get(`${name} ${fence}`);
        own.set(id, {
          member,
          id,
          name,
          fence,
          enter: event.t,
          session: grant?.session,
          since: grant?.sent ?? event.t,
          timeout,
          wasSignalled: event.signalled === true,
          ...(record !== undefined && { record }),
          ...(group !== undefined && { group }),
        });
      } else if (event.e === "signal" || event.e === "exit" || event.e === "settled") {
        const run = own.get(event.id);
        if (run === undefined) continue;
        if (event.e === "signal") run.signal ??= event;
        else if (event.e === "exit") {
          run.exit = event.t;
          run.fails = event.fails === true;
          run.skips = event.skips === true;
        } else run.settled = event;
      }
    }
    runs.push(...own.values());
  }
  return runs.sort((a, b) => a.enter - b.enter);
}

/** The grace of a process that closes, in ms. Its bodies keep their locks until they return. */
const GRACE = 10_000;

/**
 * Until when a run must have had its lock: until its signal. A process that closes keeps it until its exit.
 */
export function holdEnd({ member, enter, since, timeout, wasSignalled, signal, exit }: ObservedRun): number {
  if (wasSignalled) return enter;
  if (signal?.code === "CLOSING") {
    const over = Math.min(since + timeout, signal.t + GRACE);
    return Math.min(exit ?? Infinity, member.killedAt ?? Infinity, Math.max(over, signal.t));
  }
  return Math.min(signal?.t ?? Infinity, exit ?? Infinity, member.killedAt ?? Infinity);
}

/**
 * How long, between two moments, a process did not run its timers, and so nothing else of its program. In ms.
 */
export function blocked(member: Member, from: number, to: number): number {
  return covered(member.all("lag"), from, to);
}

/**
 * When the lease of a run ends, as far as was known at `at`. It counts from the sending of the last answered
 * renewal, or ends with the timeout.
 */
export interface LeaseEnd {
  readonly earliest: number;
  readonly latest: number;
}

/**
 * A process may be suspended between its reading of the clock and ours. This allows for a suspension too
 * short to be noted, in ms.
 */
const UNNOTED = 15;

export function leaseEnd(run: ObservedRun, at: number, scene: Pick<Scene, "kind" | "ttl">): LeaseEnd {
  const { member, session, since, timeout } = run;
  const byTimeout = { earliest: lookBefore(member, since) + timeout, latest: since + timeout };
  // No other process can open such a store: silence does not end a session there.
  if (!scene.kind.shared) return byTimeout;
  if (session === undefined) return { ...byTimeout, earliest: unobservedEnd(run, at, scene.ttl, byTimeout.earliest) };
  let sent: number | undefined;
  // One of these is when the last renewal was sent that the process accepted. There are several if an answer
  // may have come after the end: then the process may have given up the lease for good.
  let accepted: number[] = [];
  for (const renewed of member.all("renewed")) {
    if (renewed.session !== session || renewed.t > at) continue;
    sent = Math.max(sent ?? 0, renewed.sent);
    // It sent this renewal, so it had accepted one whose end was still to come when it read the clock.
    const looked = lookBefore(member, renewed.sent);
    const living = accepted.filter((earlier) => earlier + scene.ttl > looked);
    if (living.length > 0) accepted = living;
    // After the answer it reads the clock again, and may be suspended before that.
    const looks = lookAfter(member, renewed.t);
    accepted = accepted.filter((earlier) => looks >= lookBefore(member, earlier) + scene.ttl);
    accepted.push(renewed.sent);
  }
  if (sent === undefined) return byTimeout;
  const earliest = Math.min(...accepted.map((it) => lookBefore(member, it))) + scene.ttl;
  return {
    earliest: Math.min(earliest, byTimeout.earliest),
    latest: Math.min(sent + scene.ttl, byTimeout.latest),
  };
}

/**
 * The earliest end of a lease whose renewals are not observed. A process that ran its timers has renewed its
 * session. Only a process that did not run them may have lost it.
 */
function unobservedEnd({ member }: ObservedRun, at: number, ttl: number, byTimeout: number): number {
  return blocked(member, at - ttl, at) > ttl / 3 ? -Infinity : byTimeout;
}

/** The earliest moment at which a process may have read the clock for a renewal that it sent at `sent`. */
function lookBefore(member: Member, sent: number): number {
  return Math.min(sent, ...lagsAt(member, sent).map(({ from }) => from)) - UNNOTED;
}

/** The latest moment at which a process may have read the clock after it noted something at `noted`. */
function lookAfter(member: Member, noted: number): number {
  return Math.max(noted, ...lagsAt(member, noted).map(({ to }) => to)) + UNNOTED;
}

/** The stretches around a moment in which a process did not run its timers. */
function lagsAt(member: Member, t: number): Stretch[] {
  return member.all("lag").filter(({ from, to }) => from <= t && t <= to);
}

/** When a run began, by its record: its wall clock time on the clock of the journals. */
export function beginningOf({ members }: Scene, startTime: number): number | undefined {
  const [asked] = members.flatMap((member) => member.all("asked"));
  return asked && asked.t + startTime - asked.wall;
}
