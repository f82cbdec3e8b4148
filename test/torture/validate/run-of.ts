import { covered } from "../scene/lag-watch.js";
import type { EventOf, Member } from "../scene/member.js";
import type { Scene } from "../scene/scene.js";

/** A run, put together from what its process wrote down. */
export interface ObservedRun {
  readonly member: Member;
  readonly id: string;
  readonly name: string;
  readonly fence: string;
  readonly enter: number;
  /** `undefined` where grants and renewals are not observed. */
  readonly session: string | undefined;
  /**
   * When it asked for the lock that it got; where that is not known, when it began. Between the two the lock
   * may be taken from it.
   */
  readonly since: number;
  /** How long from then on it may hold it at most: others take it as soon as that is over. */
  readonly timeout: number;
  /** Whether it was told before it began: the store's answer came when the lease was over already. */
  readonly wasTold: boolean;
  signal?: { readonly t: number; readonly code: string };
  exit?: number;
  settled?: { readonly t: number; readonly outcome: string };
}

/** Every run whose body began, in the order in which they did. */
export function runsOf(members: readonly Member[]): ObservedRun[] {
  const runs: ObservedRun[] = [];
  for (const member of members) {
    const own = new Map<string, ObservedRun>();
    const grants = new Map<string, EventOf<"granted">>();
    for (const event of member.events) {
      if (event.e === "granted") {
        grants.set(`${event.name} ${event.fence}`, event);
      } else if (event.e === "enter") {
        const { id, name, fence, timeout } = event;
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
          wasTold: event.told === true,
        });
      } else if (event.e === "signal" || event.e === "exit" || event.e === "settled") {
        const run = own.get(event.id);
        if (run === undefined) continue;
        if (event.e === "signal") run.signal ??= event;
        else if (event.e === "exit") run.exit = event.t;
        else run.settled = event;
      }
    }
    runs.push(...own.values());
  }
  return runs.sort((a, b) => a.enter - b.enter);
}

/** Until when it ran without having been told to stop. */
export function holdEnd({ member, enter, wasTold, signal, exit }: ObservedRun): number {
  if (wasTold) return enter;
  return Math.min(signal?.t ?? Infinity, exit ?? Infinity, member.killedAt ?? Infinity);
}

/**
 * For how long, between two moments, a process did not come to its timers, and so to nothing else that a
 * program does.
 */
export function blocked(member: Member, from: number, to: number): number {
  return covered(member.all("lag"), from, to);
}

/**
 * When the lease of a run ends, as far as was known at `at`: counted from the sending of the last renewal
 * that was answered, or with its timeout.
 */
export interface LeaseEnd {
  readonly earliest: number;
  readonly latest: number;
}

/**
 * A process may stand still between its look at the clock and our own; a stretch that is too short to be
 * noted is allowed for.
 */
const UNNOTED = 15;

export function leaseEnd(run: ObservedRun, at: number, scene: Pick<Scene, "kind" | "ttl">): LeaseEnd {
  const { member, session, since, timeout } = run;
  const byTimeout = { earliest: lookBefore(member, since) + timeout, latest: since + timeout };
  // Nobody else can open such a store: no silence ends a session there.
  if (!scene.kind.shared) return byTimeout;
  if (session === undefined) return { ...byTimeout, earliest: unobservedEnd(run, at, scene.ttl, byTimeout.earliest) };
  let sure: number | undefined;
  let sent: number | undefined;
  for (const renewed of member.all("renewed")) {
    if (renewed.session !== session || renewed.t > at) continue;
    sent = Math.max(sent ?? 0, renewed.sent);
    // An answer that comes after the end may find the lease given up, and that is for good. Who goes on to
    // renew it has not given it up, if it looked at the clock after the end: it may have stood still between
    // its look and the sending.
    const end = (sure ?? Infinity) + scene.ttl;
    if (renewed.t < end - UNNOTED || lookBefore(member, renewed.sent) > end) sure = Math.max(sure ?? 0, renewed.sent);
  }
  if (sent === undefined || sure === undefined) return byTimeout;
  return {
    earliest: Math.min(lookBefore(member, sure) + scene.ttl, byTimeout.earliest),
    latest: Math.min(sent + scene.ttl, byTimeout.latest),
  };
}

/**
 * Without a look at its renewals: a process that came to its timers has renewed its session, and only one
 * that did not may have lost it.
 */
function unobservedEnd({ member }: ObservedRun, at: number, ttl: number, byTimeout: number): number {
  return blocked(member, at - ttl, at) > ttl / 3 ? -Infinity : byTimeout;
}

/** When, at the earliest, a process looked at the clock for what it sent at `sent`. */
function lookBefore(member: Member, sent: number): number {
  const gap = member.all("lag").find(({ from, to }) => from <= sent && sent <= to);
  return (gap?.from ?? sent) - UNNOTED;
}

/** When a run began, by its record: the wall clock of that, in the time of the journals. */
export function beginningOf({ members }: Scene, startTime: number): number | undefined {
  const [asked] = members.flatMap((member) => member.all("asked"));
  return asked && asked.t + startTime - asked.wall;
}
