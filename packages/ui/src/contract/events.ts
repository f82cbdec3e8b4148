import * as v from "valibot";
import type { Schema } from "./common.js";
import { type Running, runningSchema } from "./now.js";
import { type LogItem, logItemSchema } from "./runs.js";

/**
 * The events of `GET api/v1/events?log=ID&after=LINE`, a stream of server-sent events. `data` is JSON. `id`
 * is opaque: whoever reconnects with it as `Last-Event-ID` gets what it missed, lines of logs too, or
 * `reset`. After `hello` of a new stream, and after `reset`, comes a `running` with `all`: what is not in it
 * does not run. `log` may be repeated, up to 10 times, and `after` in the same order: the lines after that
 * one come; without it all of them.
 */
export interface Events {
  readonly hello: { readonly epoch: string; readonly at: number };
  /** Changes of what runs. With `all`, it is everything that runs. */
  readonly running: {
    readonly at: number;
    readonly all?: boolean;
    readonly put: readonly Running[];
    readonly gone: readonly string[];
  };
  /** A run of these names began or ended, a tick was decided, or a pause began or ended. */
  readonly changed: { readonly at: number; readonly names: readonly string[] };
  /** More of the log of a run. `ended`: no more will come. */
  readonly log: { readonly id: string; readonly items: readonly LogItem[]; readonly ended?: boolean };
  /** The store is away: what is shown is of `since`. */
  readonly stale: { readonly since: number };
  readonly fresh: { readonly at: number };
  /** What was missed is not known any more: read all anew. */
  readonly reset: { readonly at: number };
}

export const eventSchemas: { readonly [Name in keyof Events]: Schema<Events[Name]> } = {
  hello: v.strictObject({ epoch: v.string(), at: v.number() }),
  running: v.strictObject({
    at: v.number(),
    all: v.exactOptional(v.boolean()),
    put: v.array(runningSchema),
    gone: v.array(v.string()),
  }),
  changed: v.strictObject({ at: v.number(), names: v.array(v.string()) }),
  log: v.strictObject({ id: v.string(), items: v.array(logItemSchema), ended: v.exactOptional(v.boolean()) }),
  stale: v.strictObject({ since: v.number() }),
  fresh: v.strictObject({ at: v.number() }),
  reset: v.strictObject({ at: v.number() }),
};
