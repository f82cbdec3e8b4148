import { covered } from "../scene/lag-watch.js";
import type { Member } from "../scene/member.js";
import type { Excuse, Scene } from "../scene/scene.js";
import { blocked, leaseEnd, type ObservedRun } from "./run-of.js";
import { ASKED_WITHIN } from "./verdict.js";

/**
 * For so long after a trouble, in ms, calls may still fail: the deadline of those that were under way, and a
 * reconnection.
 */
const AFTERMATH = 1_500;

/**
 * Who stands still for so long of the time that a call may take, in ms, hears of its end and not of its
 * answer.
 */
const DEADLINE = 1_000;

/**
 * Why the lock of a run may have been free at `at`: the store was told so, by a fault or by force, after the
 * run had asked for it.
 */
export function lockTakenBy(scene: Scene, run: ObservedRun, at: number): Excuse | undefined {
  return applying(scene, run, at).find(({ recordOnly, newsOnly }) => recordOnly !== true && newsOnly !== true);
}

/** The same of a run: of its lock, or of its record alone, or by what it was told. */
export function takenBy(scene: Scene, run: ObservedRun, at: number): Excuse | undefined {
  return applying(scene, run, at)[0];
}

function applying({ excuses, ttl }: Scene, run: ObservedRun, at: number): Excuse[] {
  const of = (wanted: string | undefined, is: string | undefined): boolean => wanted === undefined || wanted === is;
  // Where nobody saw when the lock was given, it may have been taken away before the body began: the fence
  // says that it was this one. By its next heartbeat its process knows.
  const mayBeginLate = (to: number): boolean =>
    run.since - blocked(run.member, to, run.since) <= to + ttl / 3 + ASKED_WITHIN;
  const wasHad = ({ fence, to }: Excuse): boolean =>
    run.since <= to || (run.session === undefined && fence === run.fence && mayBeginLate(to));
  return excuses.filter(
    (it) =>
      of(it.name, run.name) && of(it.fence, run.fence) && of(it.session, run.session) && wasHad(it) && at >= it.from,
  );
}

/**
 * Whether some calls of a process may have failed between two moments: by the store, the way to it, or
 * because it did not come to listen.
 */
export function wasInTrouble({ troubles, lags }: Scene, member: Member, from: number, to: number): boolean {
  const hit = troubles.some(
    (trouble) => (trouble.member ?? member) === member && trouble.from <= to && trouble.to + AFTERMATH >= from,
  );
  return hit || covered([...member.all("lag"), ...lags.lags], from - DEADLINE, to) >= DEADLINE / 2;
}

/** Whether it may have come to its end without its lock: that was taken from it, or its lease was over. */
export function lostItsLock(scene: Scene, run: ObservedRun): boolean {
  const at = run.settled?.t ?? Infinity;
  if (run.signal?.code === "LOST" || takenBy(scene, run, at) !== undefined) return true;
  return at >= leaseEnd(run, at, scene).earliest;
}

/** What was sent before its process was killed may reach the store for so long after that, in ms. */
const ON_ITS_WAY = 1_000;

/** A forced unlock excuses two holders, from its call on: its reply may come late. */
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
