import { covered } from "../scene/lag-watch.js";
import type { Member } from "../scene/member.js";
import type { Excuse, Scene } from "../scene/scene.js";
import { DEADLINE } from "../stores/store.js";
import { blocked, leaseEnd, type ObservedRun } from "./run-of.js";
import { ASKED_WITHIN } from "./verdict.js";

/**
 * How long calls may still fail after a trouble, in ms: the deadline of the calls in progress, and a
 * reconnection.
 */
const AFTERMATH = 1_500;

/**
 * Why the lock of a run may have been free at `at`: after the run had requested it, a fault or a forced
 * unlock marked it as free in the store.
 */
export function lockTakenBy(scene: Scene, run: ObservedRun, at: number): Excuse | undefined {
  return applying(scene, run, at).find(({ recordOnly, newsOnly }) => recordOnly !== true && newsOnly !== true);
}

/** The same for a run, even if only its record was closed, or only an announcement was made. */
export function takenBy(scene: Scene, run: ObservedRun, at: number): Excuse | undefined {
  return applying(scene, run, at)[0];
}

function applying({ excuses, ttl }: Scene, run: ObservedRun, at: number): Excuse[] {
  const of = (wanted: string | undefined, is: string | undefined): boolean => wanted === undefined || wanted === is;
  // If the grant was not observed, the lock may have been taken away before the body began. The fence proves
  // that it was this lock. The process knows by its next heartbeat.
  const mayBeginLate = (to: number): boolean =>
    run.since - blocked(run.member, to, run.since) <= to + ttl / 3 + ASKED_WITHIN;
  const wasHad = ({ fence, to }: Excuse): boolean =>
    run.since <= to || (run.session === undefined && fence === run.fence && mayBeginLate(to));
  return excuses.filter(
    (it) =>
      of(it.name, run.name) && of(it.fence, run.fence) && of(it.session, run.session) && wasHad(it) && at >= it.from,
  );
}

/** Whether the store still has everything that it acknowledged. */
export function isWhole({ dataLost, staleRecords, strayRecords }: Scene): boolean {
  return dataLost === undefined && staleRecords === undefined && strayRecords === undefined;
}

/**
 * Whether calls of a process may have failed between two moments: because of the store, the way to it, or a
 * suspension of the process.
 */
export function wasInTrouble({ troubles, lags }: Scene, member: Member, from: number, to: number): boolean {
  const hit = troubles.some(
    (trouble) => (trouble.member ?? member) === member && trouble.from <= to && trouble.to + AFTERMATH >= from,
  );
  return hit || covered([...member.all("lag"), ...lags.lags], from - DEADLINE, to) >= DEADLINE / 2;
}

/**
 * Whether a run may have ended without its lock: because the lock was taken from it, or its lease was over.
 */
export function lostItsLock(scene: Scene, run: ObservedRun): boolean {
  const at = run.settled?.t ?? Infinity;
  if (run.signal?.code === "LOST" || takenBy(scene, run, at) !== undefined) return true;
  return at >= leaseEnd(run, at, scene).earliest;
}

/** How long after a process was killed its requests may still reach the store, in ms. */
const ON_ITS_WAY = 1_000;

/**
 * The excuses of forced unlocks. Each excuses two holders from its call on, because its reply may come late.
 */
export function forcedUnlocks({ members }: Scene): Excuse[] {
  return members.flatMap((member) => {
    const done = member.all("unlocked");
    return member.all("unlocking").flatMap(({ name, t }): Excuse[] => {
      const unlocked = done.find((it) => it.name === name && it.t >= t);
      const to = unlocked?.t ?? (member.killedAt ?? member.endedAt ?? t) + ON_ITS_WAY;
      const excuse = { name, from: t, to, byForce: true } as const;
      const record: Excuse = { ...excuse, recordOnly: true };
      if (unlocked?.taken === false) return [record];
      return [record, { ...excuse, ...(unlocked?.fence !== undefined && { fence: unlocked.fence }) }];
    });
  });
}
