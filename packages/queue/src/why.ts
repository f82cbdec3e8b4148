import type { Reason } from "@ojm/core";
import type { QueueCounts, QueuePause, QueueReason } from "./types.js";

/** What the reasons of a queue depend on. */
interface Standing extends QueueCounts {
  /** Set if it is about one item: then no other one is counted as waiting, delayed or dead. */
  readonly isOne?: boolean;
  readonly paused: QueuePause | undefined;
  /** The permits and the rate that keep the next item from starting. */
  readonly limits: readonly Reason[];
  /** The time of the first delayed item. */
  readonly due: number | undefined;
  /** How many active items have newer data for after their attempts. */
  readonly following: number;
}

const iso = (at: number | undefined): string => new Date(at ?? 0).toISOString();
const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Who paused a queue, or started the maintenance that covers it, until when, and why. If both: both. */
export function pauseText({ by, reason, until, maintenance, also }: QueuePause, say: typeof iso = iso): string {
  const what = maintenance === undefined ? "paused" : `under maintenance of ${maintenance}`;
  const [end, more] = [until === undefined ? "" : ` until ${say(until)}`, also ? `; and ${pauseText(also, say)}` : ""];
  return `${what} by ${by}${end}: ${reason}${more}`;
}

/** A pause and a maintenance are ended by different commands: each is a reason. */
function pausesOf(paused: QueuePause | undefined, what: string): QueueReason[] {
  if (paused === undefined) return [];
  const { also, ...one } = paused;
  const code = one.maintenance === undefined ? "queue-paused" : "queue-maintenance";
  return [{ code, text: `${what} is ${pauseText(one)}`, paused: one }, ...pausesOf(also, what)];
}

/** How the items of a queue stand, or why one of them waits, the most important reason first. */
export function reasonsOf(standing: Standing): QueueReason[] {
  const { waiting, delayed, active, dead, oldest, workers, slots, hung = 0 } = standing;
  const { isOne, paused, more, limits, due, following } = standing;
  const some = (number: number, noun = "item"): string =>
    isOne ? "it" : `${more ? "at least " : ""}${count(number, noun)}`;
  const next = isOne || oldest === undefined ? "" : `, the oldest added at ${iso(oldest)}`;
  const wait = `${some(waiting)} ${waiting === 1 ? "waits" : "wait"}${next}`;
  const time = `${some(delayed)} ${delayed === 1 ? "waits for its" : "wait for their"} time`;
  const [them, first] = isOne ? ["it", "until"] : ["them", "the first one until"];
  const all = workers === 0 ? "no worker" : `${count(workers, "worker")} for ${count(slots, "item")} at once`;
  const ignore =
    hung === 1 ? "handler ignores its signal and keeps its slot" : "handlers ignore their signals and keep their slots";
  const couldTake =
    limits.length > 0 ? "the limits of the queue let none start now" : `a worker is about to take ${them}`;
  const activeText = active === 0 ? "none is active" : `${count(active, "item")} ${active === 1 ? "is" : "are"} active`;
  const [isAttended, isFull] = [waiting > 0 && workers > 0, active >= slots];
  const rows: readonly (false | undefined | QueueReason)[] = [
    ...pausesOf(paused, isOne ? "its queue" : "it"),
    hung > 0 && { code: "queue-hung", text: `${hung} ${ignore} (${all})` },
    waiting > 0 && workers === 0 && { code: "queue-unattended", text: `${wait}, and no living worker takes ${them}` },
    isAttended && isFull && { code: "queue-busy", text: `${wait}: all slots are taken (${all})` },
    isAttended && !isFull && !paused && { code: "queue-waiting", text: `${wait}: ${couldTake} (${all})` },
    ...limits.map(({ code, text }) => ({ code: code as "permit" | "rate", text })),
    delayed > 0 && { code: "queue-delayed", text: due === undefined ? time : `${time}, ${first} ${iso(due)}` },
    following > 0 && {
      code: "queue-follows",
      text: `newer data waits for the end of ${count(following, "active item")}: one more attempt with it follows`,
    },
    dead > 0 && { code: "queue-dead", text: some(dead, "dead letter") },
    !isOne && waiting === 0 && { code: "queue-empty", text: `no item waits for a worker, and ${activeText} (${all})` },
  ];
  return rows.filter((row) => row !== undefined && row !== false);
}
