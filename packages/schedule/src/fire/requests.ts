import { compareVersions, isChannelError, isRunError, type Key, type Version } from "@ojm/core";
import { type Followed, type StartingRun, unlessCorrupt } from "@ojm/core/internal";
import { calendarOf } from "../definition/calendar.js";
import { policiesOf } from "../definition/types.js";
import {
  type Cursor,
  cursorKey,
  REQUEST_TTL,
  type RequestValue,
  requestKey,
  type SchedulesValue,
  tickKey,
} from "../store/schema.js";
import { type FoundOutcome, replaceOps, type ScheduleStore, type Versioned } from "../store/store.js";
import { isKnownTick, isRequest } from "../store/valid.js";
import { Changed, type Request, RequestClaim, Taken } from "./claim.js";
import { AGAIN, type Host, LOCK_WAIT, type OwnSchedule, startClaimed } from "./start.js";

/** Runs the requests of people, for the schedules of which this process is the first member. */
export class Requests implements Followed<SchedulesValue> {
  readonly #host: Host;
  readonly #open: Map<string, Request> = new Map();
  readonly #working: Set<string> = new Set();

  constructor(host: Host) {
    this.#host = host;
  }

  put(key: Key, value: SchedulesValue, version: Version): void {
    const [, name, id] = key as readonly string[];
    if (name === undefined || id === undefined || !isRequest(value)) return;
    const request = { name, id, value, version };
    const known = this.#open.get(id);
    if (known !== undefined && compareVersions(version, known.version) <= 0) return;
    if (value.run === undefined && value.refused === undefined) this.#open.set(id, request);
    else if (value.type === "run") this.#open.delete(id);
    this.begin(name);
  }

  gone(key: Key): void {
    const [, , id] = key as readonly string[];
    this.#open.delete(id ?? "");
  }

  synced(): void {}

  /** Runs the open requests for a schedule, one after the other. */
  begin(name: string): void {
    if (this.#working.has(name) || this.#next(name) === undefined) return;
    this.#working.add(name);
    void this.#work(name).finally(() => this.#working.delete(name));
  }

  #next(name: string): { request: Request; own: OwnSchedule } | undefined {
    const own = this.#host.own(name);
    if (own === undefined || this.#host.rank(name) !== 0 || this.#host.closing.aborted) return undefined;
    const all = [...this.#open.values()].filter((request) => request.name === name);
    const [request] = all.sort((a, b) => a.value.at - b.value.at);
    return request === undefined ? undefined : { request, own };
  }

  async #work(name: string): Promise<void> {
    for (let next = this.#next(name); next !== undefined; next = this.#next(name)) {
      const { request, own } = next;
      try {
        await (request.value.type === "run" ? this.#runNow(own, request) : this.#backfill(own, request));
      } catch (error) {
        const isOld = error instanceof Changed || error instanceof Taken;
        if (isOld && (await this.#reread(request))) continue;
        if (!isOld && !isChannelError(error) && !isRunError(error)) throw error;
        await new Promise<void>((resolve) => void this.#host.store.clock.after(AGAIN, resolve));
      }
    }
  }

  async #runNow(own: OwnSchedule, request: Request): Promise<void> {
    const { reason, by, args } = request.value;
    const isQueued = policiesOf(own.definition).overlap !== "skip";
    const claim = new RequestClaim(this.#host.store, request, ({ id }) => ({ ...request.value, run: id }));
    const options = { wait: isQueued ? LOCK_WAIT : 0, signal: this.#host.closing, args };
    const trigger = `run now by ${by}: ${reason}`.slice(0, 1_000);
    try {
      await startClaimed(this.#host, own, claim, { ...options, trigger });
      this.#open.delete(request.id);
    } catch (error) {
      if (!isRunError(error) || isQueued || (error.code !== "LOCKED" && error.code !== "INVALID")) throw error;
      await this.#refuse(request, error.message);
    }
  }

  async #backfill(own: OwnSchedule, request: Request): Promise<void> {
    const moved = await backfillNext(this.#host, own, request);
    if (moved === undefined) this.#open.delete(request.id);
    else this.#open.set(request.id, moved);
  }

  /** Record it: otherwise the audit would show a run that never was. */
  async #refuse({ name, id, version, value }: Request, refused: string): Promise<void> {
    const { store } = this.#host;
    const key = requestKey(name, id);
    const ops = [
      { check: key, version },
      { put: key, value: { ...value, refused }, ttl: REQUEST_TTL },
    ];
    await store.act(ops, { action: "not-started", name, reason: refused, author: value.by });
    this.#open.delete(id);
  }

  /** Resolves to `false` if the store is away: the request stays, because no watch reports it again. */
  async #reread({ name, id }: Request): Promise<boolean> {
    try {
      const entry = await unlessCorrupt(this.#host.store.channel.entry(requestKey(name, id)));
      if (entry === undefined) this.#open.delete(id);
      else this.put(entry.key, entry.value, entry.version);
      return true;
    } catch (error) {
      if (!isChannelError(error)) throw error;
      return false;
    }
  }
}

/** The pause before the cursor and the maintenance are checked again, in ms. */
const CURSOR_PAUSE = 1_000;

/** The store's entries of a tick that the cursor has passed. */
interface Decided {
  readonly cursor: Versioned<Cursor>;
  readonly found: FoundOutcome | undefined;
}

/**
 * Runs the next tick of a backfill. When that run is over, resolves to the rest of the request; `undefined`
 * if it is done. The progress is in the store: another process can continue.
 */
async function backfillNext(host: Host, own: OwnSchedule, request: Request): Promise<Request | undefined> {
  const { store } = host;
  const { name, value } = request;
  const evidence = { backfill: request.id };
  const calendar = calendarOf(own.definition);
  const { from = 0, to = 0, again } = value;
  for (let at = calendar.next(from); at <= to; at = calendar.next(at)) {
    let decided = await decidedAt(store, name, at);
    if (decided === undefined || store.maintenance.of(name) !== undefined) {
      await new Promise<void>((resolve) => void store.clock.after(CURSOR_PAUSE, resolve));
      return request;
    }
    const { found } = decided;
    // An unknown outcome may mean that a later version of ojm runs the tick.
    if (found !== undefined && !isKnownTick(found.value)) continue;
    if (found?.value.outcome === "run" && again !== true) continue;
    let moved: RequestValue = { ...value, from: at };
    const answer = ({ id }: StartingRun): RequestValue => {
      moved = { ...moved, last: id };
      return moved;
    };
    const claim = new RequestClaim(store, request, answer, {
      tick: { schedule: name, at },
      // Writes the run in place of the present outcome of the tick.
      ops: (run) => {
        const { cursor, found } = decided as Decided;
        if (found !== undefined) return replaceOps(store, { name, at, found, run }, evidence);
        const ops = store.tickOps(name, { at, value: { outcome: "run", run: run.id, evidence } }, 0);
        // A cursor that was set back may pass this tick again, and write a range over it.
        return [{ check: cursorKey(name), version: cursor.version }, ...ops];
      },
      // The tick is open for the next attempt of the backfill.
      undo: ({ id: run }, version) => {
        const undone = { outcome: "refused", reason: "not-recorded", run, evidence } as const;
        const [, ...put] = store.tickOps(name, { at, value: undone }, 0);
        return [{ check: tickKey(name, at), version }, ...put];
      },
      holds: async () => {
        const before = decided?.found?.version;
        decided = await decidedAt(store, name, at);
        return decided !== undefined && decided.found?.version === before;
      },
    });
    const trigger = `backfill by ${value.by}: ${value.reason}`.slice(0, 1_000);
    const options = { wait: LOCK_WAIT, signal: host.closing, trigger };
    const { version, ended } = await startClaimed(host, own, claim, options);
    await ended.catch(() => {});
    return { ...request, value: moved, version };
  }
  const key = requestKey(name, request.id);
  await store.channel.commit([{ check: key, version: request.version }, { delete: key }]);
  return undefined;
}

/**
 * The outcome of a tick; `undefined` while the cursor has not passed it. The cursor is read first: until it
 * has passed a tick, a range that contains the tick may still be written.
 */
async function decidedAt(store: ScheduleStore, name: string, at: number): Promise<Decided | undefined> {
  const cursor = await store.cursor(name);
  if (cursor === undefined || cursor.value.at < at) return undefined;
  return { cursor, found: await store.outcomeAt(name, at) };
}
