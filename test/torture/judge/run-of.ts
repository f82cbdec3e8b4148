import type { EventOf, Member } from "../member.js";
import type { Scene } from "../scene.js";

/** A run, put together from what its process wrote down. */
export interface ObservedRun {
  readonly member: Member;
  readonly id: string;
  readonly name: string;
  readonly fence: string;
  readonly enter: number;
  readonly session: string | undefined;
  /** When it asked for the lock that it got; where that is not known, when it began. Between the two the lock may be taken from it. */
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
        const { id, name, fence } = event;
        const grant = grants.get(`${name} ${fence}`);
        own.set(id, {
          member,
          id,
          name,
          fence,
          enter: event.t,
          session: grant?.session,
          since: grant?.sent ?? event.t,
          timeout: grant?.timeout ?? Infinity,
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

/** Whether the store was told, by a fault or by force, between its asking for the lock and `at`, that the lock of a run is free. */
export function wasTaken({ excuses }: Scene, { name, since }: ObservedRun, at: number): boolean {
  return excuses.some(
    (excuse) => (excuse.name === undefined || excuse.name === name) && since <= excuse.to && at >= excuse.from,
  );
}

/** For how long, between two moments, a process did not come to its timers, and so to nothing else that a program does. */
export function blocked(member: Member, from: number, to: number): number {
  let sum = 0;
  for (const lag of member.all("lag")) sum += Math.max(0, Math.min(to, lag.to) - Math.max(from, lag.from));
  return sum;
}

/** When the lease of a run ends, as far as was known at `at`: counted from the sending of the last renewal that was answered, or with its timeout. */
export interface LeaseEnd {
  readonly earliest: number;
  readonly latest: number;
}

/** A process may stand still between its look at the clock and our own; a stretch that is too short to be noted is allowed for. */
const UNNOTED = 15;

export function leaseEnd(
  { member, session, since, timeout }: ObservedRun,
  at: number,
  ttl: number,
): LeaseEnd | undefined {
  let sure: number | undefined;
  let sent: number | undefined;
  for (const renewed of member.all("renewed")) {
    if (renewed.session !== session || renewed.t > at) continue;
    sent = Math.max(sent ?? 0, renewed.sent);
    // An answer that comes after the end may find the lease given up, and that is for good. Who goes on to renew it has not given it up.
    const end = (sure ?? Infinity) + ttl;
    if (renewed.t < end - UNNOTED || renewed.sent > end) sure = Math.max(sure ?? 0, renewed.sent);
  }
  if (sent === undefined || sure === undefined) return undefined;
  return {
    earliest: Math.min(lookBefore(member, sure) + ttl, lookBefore(member, since) + timeout),
    latest: Math.min(sent + ttl, since + timeout),
  };
}

/** When, at the earliest, a process looked at the clock for what it sent at `sent`. */
function lookBefore(member: Member, sent: number): number {
  const gap = member.all("lag").find(({ from, to }) => from <= sent && sent <= to);
  return (gap?.from ?? sent) - UNNOTED;
}
