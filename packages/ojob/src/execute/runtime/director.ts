import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import {
  type Channel,
  type Clock,
  type Entry,
  isRunError,
  type JobManager,
  type JsonValue,
  type Key,
  type Op,
  type Run,
  type RunRecord,
  type Version,
} from "@ojm/core";
import {
  type ChannelOps,
  durationOf,
  firstOf,
  pause,
  type StartClaim,
  type StartingRun,
  visible,
} from "@ojm/core/internal";
import {
  DIRECTOR_CHECK,
  DIRECTOR_CHECKIN,
  DIRECTOR_CHECKOUT,
  DIRECTOR_INIT,
  DIRECTOR_WAIT,
} from "../../load/builtin.js";
import type { Args } from "../../load/job-file.js";
import { DEFAULT_STAMP, type DirectorSettings, entryOf, settingsOf, withCalls } from "../../plan/director.js";
import type { SharedGlobals } from "../../script/thread.js";
import { isMap } from "../../text/template.js";
import { DoneElsewhere, JobError } from "./job-error.js";
import type { Managers } from "./managers.js";
import type { OpenRuns, RunTick } from "./open-runs.js";
import type { ScriptChannels } from "./script-channels.js";

/*
 * oJob Director: each name and id is worked on once, over all processes. An entry is in the channel that
 * `oJob Director init` names, under `{ ...stamp, name, uuid }`. A check-in is a run with its own lock. The
 * commit that takes the lock writes the entry as running, the commit that ends the run writes its end.
 */

/** The largest result that an entry stores, in bytes: the commit that ends the run has it twice. */
const LARGEST_RESULT = 262_144;

/** How long `wait` waits by default: 40 times 1.5 s, as in OpenAF. */
const WAIT_RETRY = 40;
const WAIT_TIME = 1_500;

/** An entry beside the fields of its stamp. */
interface DirectorValue {
  readonly name: string;
  readonly uuid: string;
  /** `running`; then how its run ended. */
  readonly status: string;
  /** When its last run began, in ms since 1970. */
  readonly timestamp: number;
  readonly start: readonly number[];
  readonly end: readonly number[];
  readonly attempts: number;
  readonly host: string;
  readonly run: string;
  readonly result?: JsonValue;
  readonly error?: string;
}

interface Place {
  readonly key: Key;
  readonly name: string;
  readonly uuid: string;
}

/** The fields of an entry, as far as it has them: scripts may write to its channel. */
function fieldsOf(value: unknown): Partial<DirectorValue> {
  return isMap(value) ? (value as Partial<DirectorValue>) : {};
}

const isDone = (value: unknown): boolean => fieldsOf(value).status === "completed";

const listOf = (value: unknown): number[] =>
  Array.isArray(value) ? value.filter((one): one is number => typeof one === "number") : [];

function doneText({ name, uuid }: Place, value: unknown): string {
  const { end, host, run } = fieldsOf(value);
  const at = listOf(end).at(-1);
  const when = at === undefined || Number.isNaN(new Date(at).getTime()) ? "" : `, at ${new Date(at).toISOString()}`;
  const by = typeof run === "string" && typeof host === "string" ? ` by ${visible(run)} on ${visible(host)}` : "";
  return `"${uuid}" of "${name}" is done${when}${by}`;
}

/** The run of a check-in: it writes the entry with its lock, and the end of the entry with its own end. */
class CheckIn implements StartClaim {
  readonly place: Place;
  /** The result of an explicit checkout. */
  result: unknown;
  readonly #channel: Channel<unknown>;
  readonly #settings: DirectorSettings;
  #before: Entry<unknown> | undefined;
  #running: DirectorValue | undefined;

  constructor(channel: Channel<unknown>, settings: DirectorSettings, place: Place) {
    this.place = place;
    this.#channel = channel;
    this.#settings = settings;
  }

  /** @throws DoneElsewhere */
  async look(): Promise<void> {
    this.#before = await this.#channel.entry(this.place.key);
    if (isDone(this.#before?.value)) throw new DoneElsewhere(doneText(this.place, this.#before?.value));
  }

  refused(): Promise<void> {
    return this.look();
  }

  ops({ id, startTime, holder }: StartingRun): readonly ChannelOps<unknown>[] {
    const { key, name, uuid } = this.place;
    const { start, end, attempts = 0 } = fieldsOf(this.#before?.value);
    this.#running = {
      ...this.#settings.stamp,
      name,
      uuid,
      start: [...listOf(start), startTime],
      end: listOf(end),
      status: "running",
      timestamp: startTime,
      attempts: (typeof attempts === "number" ? attempts : 0) + 1,
      host: holder.host,
      run: id,
    };
    return this.#ops([
      { check: key, version: this.#before?.version ?? null },
      { put: key, value: this.#running },
    ]);
  }

  undo(_run: StartingRun, version: Version): readonly ChannelOps<unknown>[] {
    const { key } = this.place;
    const before = this.#before;
    const write: Op<unknown> = before === undefined ? { delete: key } : { put: key, value: before.value };
    return this.#ops([{ check: key, version }, write]);
  }

  end({ status, endTime, startTime, error, result }: RunRecord): readonly ChannelOps<unknown>[] {
    const { key } = this.place;
    const isCompleted = status === "completed";
    const value = {
      ...this.#running,
      end: [...(this.#running?.end ?? []), endTime ?? startTime],
      status,
      result: isCompleted ? (this.result === undefined ? {} : (result ?? {})) : { status, error: error ?? status },
      ...(error !== undefined && { error }),
    };
    const { keep } = this.#settings;
    return this.#ops([{ put: key, value, ...(isCompleted && keep !== undefined && { ttl: keep }) }]);
  }

  #ops(ops: readonly Op<unknown>[]): readonly ChannelOps<unknown>[] {
    return [{ channel: this.#channel, ops }];
  }
}

/** The context of a call of a job of oJob Director. */
interface DirectorCall {
  readonly args: Args;
  readonly runs: OpenRuns;
  readonly tick: RunTick | undefined;
  readonly trigger: string;
  readonly signal: AbortSignal;
  warn(text: string): void;
}

/** The check-ins of a process. */
export class Director {
  readonly #managers: Managers;
  readonly #channels: ScriptChannels;
  readonly #clock: Clock;
  readonly #globals: SharedGlobals;
  #settings: DirectorSettings | undefined;
  /** Why no init has succeeded. */
  #failed: Error | undefined;
  #manager: Promise<JobManager> | undefined;
  readonly #checkIns: WeakMap<Run, CheckIn> = new WeakMap();

  constructor(managers: Managers, channels: ScriptChannels, clock: Clock, globals: SharedGlobals) {
    this.#managers = managers;
    this.#channels = channels;
    this.#clock = clock;
    this.#globals = globals;
  }

  /** Runs a job of oJob Director. Resolves to the arguments for the next step. */
  async run(job: string, call: DirectorCall): Promise<Args> {
    if (job === DIRECTOR_CHECKIN) return this.#checkIn(call);
    if (job === DIRECTOR_WAIT) return this.#wait(call);
    if (job === DIRECTOR_INIT) await this.#initOrRemember(call.args);
    else if (job === DIRECTOR_CHECK) await this.#check(call);
    else if (job === DIRECTOR_CHECKOUT) await this.#checkOut(call);
    else throw new JobError(`"${job}" is not built in`);
    return call.args;
  }

  /** The entry of a name and an id, for a script; `undefined` if there is none. It always has a result. */
  async find(args: Args): Promise<unknown> {
    const { channel } = await this.#open();
    const value = await channel.get(this.#place(DIRECTOR_CHECK, args, undefined).key);
    return isMap(value) ? { result: {}, ...value } : value;
  }

  async #init(args: Args): Promise<DirectorSettings> {
    const settings = settingsOf(args);
    if ("argument" in settings) throw new JobError(settings.message);
    const { ch, stamp } = settings;
    if (this.#settings !== undefined) {
      if (isDeepStrictEqual(this.#settings, settings)) return this.#settings;
      throw new JobError(
        `oJob Director is initialised already, with other arguments. Call ${DIRECTOR_INIT} once, before all other jobs of it.`,
      );
    }
    await this.#channels.ensure(ch, await this.#managers.lockStore());
    this.#settings = settings;
    this.#globals.set({ oJobCheck: { ch, stamp } }, this);
    return settings;
  }

  /** After a failed init, a check-in must not use the defaults: the work would be done again by others. */
  async #initOrRemember(args: Args): Promise<void> {
    try {
      await this.#init(args);
    } catch (error) {
      this.#failed = error as Error;
      throw error;
    }
  }

  async #needSettings(): Promise<DirectorSettings> {
    if (this.#settings !== undefined) return this.#settings;
    if (this.#failed !== undefined)
      throw new JobError(`${DIRECTOR_INIT} has failed, so nothing is checked in: ${this.#failed.message}`);
    return this.#init({});
  }

  /** The channel of the entries, and the manager whose locks are in its store. */
  async #open(): Promise<{
    readonly settings: DirectorSettings;
    readonly manager: JobManager;
    readonly channel: Channel<unknown>;
  }> {
    const settings = await this.#needSettings();
    this.#manager ??= this.#managerOf(settings.ch);
    this.#manager.catch(() => {
      this.#manager = undefined;
    });
    const manager = await this.#manager;
    return { settings, manager, channel: await manager.channel<unknown>(settings.ch) };
  }

  async #managerOf(ch: string): Promise<JobManager> {
    const channel = await this.#channels.channel(ch);
    const manager = await this.#managers.opened();
    if (manager?.channels.locks.joins(channel as Channel<unknown>) === true) return manager;
    return this.#managers.inStore(this.#channels.configOf(ch) ?? {});
  }

  #place(job: string, args: Args, tick: RunTick | undefined): Place {
    const { jobUUID } = args;
    const time = tick?.at ?? this.#clock.now();
    const filled = typeof jobUUID === "string" ? withCalls(jobUUID, time, randomUUID) : jobUUID;
    const entry = entryOf(job, { ...args, jobUUID: filled });
    if (typeof entry === "string") throw new JobError(entry);
    return { ...entry, key: { ...(this.#settings?.stamp ?? DEFAULT_STAMP), ...entry } as Key };
  }

  async #check({ args, tick }: DirectorCall): Promise<void> {
    const { channel } = await this.#open();
    const place = this.#place(DIRECTOR_CHECK, args, tick);
    const value = await channel.get(place.key);
    if (isDone(value)) throw new DoneElsewhere(doneText(place, value));
  }

  async #checkIn({ args, runs, tick, trigger, signal }: DirectorCall): Promise<Args> {
    const { settings, manager, channel } = await this.#open();
    const place = this.#place(DIRECTOR_CHECKIN, args, tick);
    const { name, uuid } = place;
    if (runs.has(name)) throw new JobError(`${DIRECTOR_CHECKIN}: this job has a run of "${name}" already.`);
    const claim = new CheckIn(channel, settings, place);
    await claim.look();
    // It ends only the wait. An open run has its own signal, and time to clean up.
    const waiting = firstOf(signal);
    try {
      const [timeout, wait] = [spanOf("timeout", args["timeout"]), spanOf("wait", args["wait"])];
      const run = await manager.start(name, {
        lock: lockOf(settings, place),
        trigger,
        claim,
        signal: waiting.signal,
        wait: wait ?? 0,
        ...(timeout !== undefined && { timeout }),
        meta: { jobUUID: uuid },
      });
      this.#checkIns.set(run, claim);
      runs.add(run);
    } catch (error) {
      if (!isRunError(error) || error.code !== "LOCKED") throw error;
      throw new DoneElsewhere(
        `"${uuid}" of "${name}" is being worked on: ${error.held ? heldText(error.held) : error.message}`,
      );
    } finally {
      waiting.forget();
    }
    return { ...args, jobUUID: uuid };
  }

  async #checkOut({ args, runs, tick, warn }: DirectorCall): Promise<void> {
    const { channel } = await this.#open();
    const place = this.#place(DIRECTOR_CHECKOUT, args, tick);
    const { name, uuid } = place;
    const run = runs.find(name);
    const checkIn = run && this.#checkIns.get(run);
    if (checkIn?.place.uuid !== uuid) {
      const value = await channel.get(place.key);
      const { status, run: by, host } = fieldsOf(value);
      const holder =
        status === "running" ? `. It is checked in by ${visible(String(by))} on ${visible(String(host))}` : "";
      throw new JobError(`${DIRECTOR_CHECKOUT}: this job has not checked in "${uuid}" of "${name}"${holder}.`);
    }
    const { result = {} } = args;
    const { error } = isMap(result) ? result : {};
    if (error !== undefined)
      warn(
        `"${uuid}" of "${name}" is checked out with an error, so it is done and does not run again. To run it again, let the job fail without a checkout`,
      );
    const bytes = Buffer.byteLength(JSON.stringify(result) ?? "");
    const isTooLarge = bytes > LARGEST_RESULT;
    if (isTooLarge)
      warn(
        `the result of "${uuid}" of "${name}" is not stored: it has ${bytes} bytes, and at most ${LARGEST_RESULT} are`,
      );
    checkIn.result = isTooLarge ? undefined : result;
    await runs.endWith(name, checkIn.result);
  }

  /** Waits until the entry is done. */
  async #wait({ args, tick, signal }: DirectorCall): Promise<Args> {
    const { channel } = await this.#open();
    const place = this.#place(DIRECTOR_WAIT, args, tick);
    const [retries, time] = [args["jobWaitRetry"] ?? WAIT_RETRY, args["jobWaitTime"] ?? WAIT_TIME].map(Number);
    if (!(Number(retries) >= 0 && Number(time) > 0))
      throw new JobError(`${DIRECTOR_WAIT}: "jobWaitRetry" and "jobWaitTime" must be numbers.`);
    const clock = this.#clock;
    const until = clock.monotonic() + Number(retries) * Number(time);
    let change = new AbortController();
    const changed = (): void => change.abort();
    const watch = channel.supports.watch
      ? channel.watchKey(place.key, { changed, gap: changed, failed: changed })
      : undefined;
    try {
      for (;;) {
        // Before the read: a change during the read must not be missed.
        change = new AbortController();
        const value = await channel.get(place.key);
        if (isDone(value)) return { ...args, job: value };
        if (signal.aborted) throw signal.reason;
        const rest = until - clock.monotonic();
        if (rest <= 0) throw new JobError(`Timeout waiting for job '${place.name}' for uuid '${place.uuid}'.`);
        await pause(clock, Math.min(rest, Number(time)), [signal, change.signal]);
      }
    } finally {
      watch?.stop();
    }
  }
}

function heldText({ holder }: { readonly holder: { readonly host: string; readonly pid: number } }): string {
  return `by pid ${holder.pid} on ${visible(holder.host)}`;
}

function spanOf(argument: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const span = durationOf(typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value, 0);
  if (span !== undefined) return span;
  throw new JobError(`${DIRECTOR_CHECKIN}: "${argument}" must be a number of milliseconds, or a text such as 10m.`);
}

/** The lock of an entry. Entries of other channels, and of other stamps, have other locks. */
function lockOf({ ch, stamp }: DirectorSettings, { name, uuid }: Place): string {
  const fields = Object.entries(stamp)
    .map(([field, value]) => `${field}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .sort()
    .join(",");
  return ["director", ch, fields, name, uuid]
    .map((part) => part.replaceAll("%", "%25").replaceAll("/", "%2F"))
    .join("/");
}
