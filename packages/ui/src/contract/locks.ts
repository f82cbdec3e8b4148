import * as v from "valibot";
import { type HolderView, holderSchema, type Schema, type WaiterView, waiterSchema } from "./common.js";

/** Who holds a job for maintenance, until when, and why. */
export interface HoldView {
  readonly reason: string;
  readonly author?: string;
  readonly until?: number;
}

/** A lock that is held. Times are in ms since 1970. */
export interface LockView {
  readonly name: string;
  readonly holder: HolderView;
  readonly since: number;
  readonly fence: string;
  readonly waiting: number;
  /** The first three that wait. */
  readonly waiters: readonly WaiterView[];
  /** The id of the run that it is held for. */
  readonly run?: string;
  /** If a person holds it, for maintenance. */
  readonly hold?: HoldView;
  readonly lease?: { readonly until: number; readonly renewed: number };
  /** Whether the holder's process is gone: the next run takes the lock over. */
  readonly gone: boolean;
}

/** A process that has locks, or waits for one. */
export interface InstanceView extends HolderView {
  /** When its session began. */
  readonly since?: number;
  readonly lease?: { readonly until: number; readonly renewed: number };
  /** How many locks it has. */
  readonly locks: number;
  /** How far its clock is ahead of the clock of this server at most, in ms; below zero: behind. */
  readonly offset?: number;
}

/** A process that runs schedules. */
export interface SchedulerItem extends HolderView {
  /** How many schedules it has, and the first 100 of their names. */
  readonly schedules: number;
  readonly names: readonly string[];
}

/** `GET api/v1/locks`. */
export interface Locks {
  readonly at: number;
  /** By name; 500 at most. */
  readonly locks: readonly LockView[];
  readonly instances: readonly InstanceView[];
  readonly schedulers: readonly SchedulerItem[];
  readonly truncated: boolean;
}

const lease = v.strictObject({ until: v.number(), renewed: v.number() });

const holderEntries = { host: v.string(), pid: v.number(), instance: v.string() };

export const holdSchema: Schema<HoldView> = v.strictObject({
  reason: v.string(),
  author: v.exactOptional(v.string()),
  until: v.exactOptional(v.number()),
});

export const lockSchema: Schema<LockView> = v.strictObject({
  name: v.string(),
  holder: holderSchema,
  since: v.number(),
  fence: v.string(),
  waiting: v.number(),
  waiters: v.array(waiterSchema),
  run: v.exactOptional(v.string()),
  hold: v.exactOptional(holdSchema),
  lease: v.exactOptional(lease),
  gone: v.boolean(),
});

export const locksSchema: Schema<Locks> = v.strictObject({
  at: v.number(),
  locks: v.array(lockSchema),
  instances: v.array(
    v.strictObject({
      ...holderEntries,
      since: v.exactOptional(v.number()),
      lease: v.exactOptional(lease),
      locks: v.number(),
      offset: v.exactOptional(v.number()),
    }),
  ),
  schedulers: v.array(v.strictObject({ ...holderEntries, schedules: v.number(), names: v.array(v.string()) })),
  truncated: v.boolean(),
});
