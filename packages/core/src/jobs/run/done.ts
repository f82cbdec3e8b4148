import type { Channel, ChannelOps } from "../../channel/channel.js";
import { readable, unlessCorrupt } from "../../channel/corrupt.js";
import { encodeValue, type JsonValue } from "../../channel/encoding/json.js";
import { ChannelError, isChannelError } from "../../channel/errors.js";
import type { Key, Op, Version } from "../../channel/types.js";
import { isHolder } from "../../locks/entries/valid.js";
import { whom } from "../../locks/entries/view.js";
import type { Holder } from "../../locks/types.js";
import { pause } from "../../util/abort.js";
import { durationText } from "../../util/duration.js";
import { fieldsOf, isOptional, isText, isTime } from "../../util/shape.js";
import { visible } from "../../util/text.js";
import { RunError } from "../errors.js";
import { attemptFailed } from "../events.js";
import { onceKeyOf, onceLock } from "../once-lock.js";
import { checkOnceCall, checkRunOptions } from "../options.js";
import { recordUnder } from "../records/read.js";
import { recordKeyOf, resultOf, toRecord } from "../records/record.js";
import { nextAttempt } from "../retry/pending.js";
import { checkRetry } from "../retry/policy.js";
import { parseRunId } from "../run-id.js";
import type { OnceCallOptions, OnceOutcome, Run, RunRecord, StartClaim } from "../types.js";
import { inOneStore, type RunContext } from "./context.js";
import type { OpenRun } from "./open-run.js";
import type { Attempt } from "./record-draft.js";
import { endBody, unlessClosing } from "./run-body.js";
import { startRun } from "./start-run.js";

/*
 * An entry in the channel of the locks, under ["done", NAME, KEY], has the result of the run that completed a
 * key. The commit that takes the lock of a key checks that it is absent, and the commit that releases the
 * lock writes it. With two stores, it is written under the lock before the record is closed: if the process
 * dies in between, the record says `lost`, and the key is still done once.
 */

/** The largest result that the entry stores, in bytes: the commit that ends the run has it twice. */
const LARGEST_RESULT = 262_144;

/** The end of the run that completed a key. */
export interface DoneValue {
  /** When the run ended, by the clock of its process. */
  readonly at: number;
  readonly run: string;
  readonly by: Holder;
  readonly result?: JsonValue;
  /** Set if the run returned something, and the store does not have it. */
  readonly unstored?: true;
}

export const doneKey = (name: string, key: string): Key => ["done", name, key];

export function isDone(value: unknown): value is DoneValue {
  const { at, run, by, unstored } = fieldsOf<DoneValue>(value) ?? {};
  return isTime(at) && isText(run) && isHolder(by) && isOptional(unstored, (set) => set === true);
}

/** How the key of a run was completed, in words; `undefined` if it is not done, or the run has no key. */
export async function doneText(
  locks: Channel<unknown>,
  last: Pick<RunRecord, "name" | "lock">,
): Promise<string | undefined> {
  const key = onceKeyOf(last);
  const entry = key === undefined ? undefined : await unlessCorrupt(locks.entry(doneKey(last.name, key)));
  if (key === undefined || entry === undefined || !isDone(entry.value)) return undefined;
  const { at, run, by } = entry.value;
  const kept = entry.expiresIn === undefined ? "" : ` for ${durationText(entry.expiresIn)}`;
  const done = `the key "${visible(key)}" is done, at ${new Date(at).toISOString()} by ${visible(run)} on ${whom(by)}`;
  return `${done}: calls with it get that result${kept}`;
}

/** Thrown by the claim of a run whose key is done. */
class KeyDone extends Error {
  readonly entry: DoneValue;

  constructor(entry: DoneValue) {
    super(`done by ${visible(entry.run)}`);
    this.entry = entry;
  }
}

type Apart = Pick<RunContext, "jobs" | "clock">;

/** The claim of a run that completes a key: it checks at the start that the key is not done. */
class DoneClaim implements StartClaim {
  readonly #locks: Channel<unknown>;
  readonly #key: Key;
  readonly #keep: number;
  readonly #more: StartClaim | undefined;
  #version: Version | null = null;
  #returned: unknown;
  #isWritten = false;

  constructor(locks: Channel<unknown>, name: string, key: string, keep: number, more: StartClaim | undefined) {
    this.#locks = locks;
    this.#key = doneKey(name, key);
    this.#keep = keep;
    this.#more = more;
  }

  /** @throws KeyDone; ChannelError `CORRUPT` */
  async check(): Promise<void> {
    let entry: { readonly value: unknown; readonly version: Version } | undefined;
    for await (const one of readable(this.#locks, { prefix: this.#key, limit: 1 })) entry = one;
    this.#version = entry?.version ?? null;
    if (entry === undefined) return;
    if (isDone(entry.value)) throw new KeyDone(entry.value);
    // To run the body might be to do it twice.
    const which = `the entry ${visible(JSON.stringify(this.#key))} of the channel "${this.#locks.name}"`;
    const advice = "it is unknown whether the key is done. Delete the entry: the next call runs its body";
    throw new ChannelError("CORRUPT", `${which} was not written by ojm, so ${advice}`);
  }

  ops(run: Parameters<StartClaim["ops"]>[0]): readonly ChannelOps<unknown>[] {
    const ops: Op<unknown>[] = [{ check: this.#key, version: this.#version }];
    return [...(this.#more?.ops(run) ?? []), { channel: this.#locks, ops }];
  }

  async refused(): Promise<void> {
    await this.check();
    await this.#more?.refused();
  }

  undo(run: Parameters<StartClaim["ops"]>[0], version: Version): readonly ChannelOps<unknown>[] {
    return this.#more?.undo?.(run, version) ?? [];
  }

  /** Calls the body. With two stores, marks the key as done before the record is closed. */
  async call<T>(run: Run, body: (run: Run) => T | Promise<T>, apart: Apart | undefined): Promise<T> {
    const result = await body(run);
    this.#returned = result;
    const { id, holder, closing, stopped } = run as OpenRun;
    if (!apart || closing !== undefined || stopped !== undefined) return result;
    const kept = resultOf(result, apart.jobs.supports.maxValueBytes).result;
    await run.fenced(this.#locks, [this.#put({ at: apart.clock.now(), run: id, by: holder }, kept)]);
    this.#isWritten = true;
    return result;
  }

  end(record: RunRecord): readonly ChannelOps<unknown>[] {
    const more = this.#more?.end?.(record) ?? [];
    if (record.status !== "completed" || this.#isWritten) return more;
    const { id, holder, startTime, endTime = startTime, result } = record;
    return [...more, { channel: this.#locks, ops: [this.#put({ at: endTime, run: id, by: holder }, result)] }];
  }

  /** `kept`: the part of the result that the record has. */
  #put(ended: Pick<DoneValue, "at" | "run" | "by">, kept: JsonValue | undefined): Op<unknown> {
    const returned = this.#returned ?? kept;
    const fits = kept !== undefined && Buffer.byteLength(encodeValue(kept)) <= LARGEST_RESULT;
    const result = fits ? { result: kept } : returned === undefined ? {} : ({ unstored: true } as const);
    const value: DoneValue = { ...ended, ...(this.#returned === null ? { result: null } : result) };
    return { put: this.#key, value, ttl: this.#keep };
  }
}

/**
 * Runs a body unless its key is done; then resolves to the result that is stored. With `retry`, this call
 * repeats it. No other process continues the attempts: there, the next call with the key runs its own body.
 */
export async function completeOnce<T>(
  context: RunContext,
  name: string,
  key: string,
  body: (run: Run) => T | Promise<T>,
  options: OnceCallOptions,
): Promise<OnceOutcome<T>> {
  const { keep, claim: more, retry: policy, ...others } = checkOnceCall(name, key, options);
  const retry = policy && checkRetry(name, policy);
  const runOptions = { ...others, lock: onceLock(name, key) };
  checkRunOptions(name, others);
  if (typeof body !== "function") throw new RunError("INVALID", name, `the body of "${name}" must be a function`);
  const { clock, closing } = context;
  const signals = [closing, others.signal, others.waitSignal].filter((signal) => signal !== undefined);
  const apart = inOneStore(context) ? undefined : context;
  try {
    for (let attempt: Attempt | undefined; ; ) {
      const claim = new DoneClaim(context.lockChannel, name, key, keep, more);
      // Do this first: a call whose key is done needs no session and no lock.
      await claim.check();
      const run = await startRun(context, name, { ...runOptions, claim }, attempt);
      let called: Promise<unknown> | undefined;
      const call = (run: Run): Promise<T> => {
        const result = claim.call(run, body, apart);
        called = result.catch(() => {});
        return result;
      };
      try {
        return { first: true, ...(await endBody(run, call)) };
      } catch (error) {
        const record = retry && (await run.closing?.catch(() => undefined));
        const next = record && nextAttempt({ ...record, retry }, undefined);
        if (next === undefined || closing.aborted) throw error;
        attemptFailed.publish(() => ({ id: run.id, error, next }));
        // A body that ignores its signal must not overlap the next attempt.
        await unlessClosing(closing, Promise.all([called, pause(clock, next.due - clock.now(), signals)]));
        if (closing.aborted) throw error;
        attempt = { attempt: next.attempt, chain: next.chain };
      }
    }
  } catch (error) {
    if (error instanceof KeyDone) return earlier(context, name, key, error.entry);
    throw error;
  }
}

/** The outcome of the call that completed the key. */
async function earlier<T>(context: RunContext, name: string, key: string, done: DoneValue): Promise<OnceOutcome<T>> {
  if (done.unstored === true) {
    const text = `"${name}" has done the key "${visible(key)}", by ${visible(done.run)}, and its result is not stored: it is larger than ${LARGEST_RESULT} bytes, or not JSON`;
    throw new RunError("ENDED", name, text);
  }
  return { first: false, result: done.result as T, record: await recordOf(context, done.run) };
}

/** The record of a run; `undefined` if it was pruned, or its store does not answer: the key is done. */
async function recordOf({ jobs }: RunContext, id: string): Promise<RunRecord | undefined> {
  const run = parseRunId(id);
  try {
    const entry = run && (await recordUnder(jobs, recordKeyOf(run)));
    return entry && toRecord(entry);
  } catch (error) {
    if (!isChannelError(error)) throw error;
    return undefined;
  }
}
