import { compareVersions, isChannelError, isRunError, type Key, type Version } from "@ojm/core";
import { type Followed, unlessCorrupt } from "@ojm/core/internal";
import { policiesOf } from "../definition/types.js";
import { REQUEST_TTL, requestKey, type SchedulesValue } from "../store/schema.js";
import { isRequest } from "../store/valid.js";
import { backfillNext } from "./backfill.js";
import { Changed, Taken } from "./claim.js";
import { type Request, RequestClaim } from "./claim-request.js";
import type { Host, Own, OwnSchedule } from "./host.js";
import { startClaimed } from "./start.js";

/** How long one attempt waits for the lock, in ms. */
const WAIT = 3_600_000;

/** The pause after a call that failed, in ms. */
const AGAIN = 2_000;

/** Runs what people ask for, of the schedules that this process is the first to run. */
export class Requests implements Followed<SchedulesValue> {
  readonly #host: Host;
  readonly #own: Own;
  readonly #signal: AbortSignal;
  readonly #open: Map<string, Request> = new Map();
  readonly #working: Set<string> = new Set();

  constructor(host: Host, own: Own, signal: AbortSignal) {
    this.#host = host;
    this.#own = own;
    this.#signal = signal;
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
    const own = this.#own.of(name);
    if (own === undefined || this.#own.rank(name) !== 0 || this.#signal.aborted) return undefined;
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
    const options = { wait: isQueued ? WAIT : 0, signal: this.#signal, trigger: `run now by ${by}: ${reason}`, args };
    try {
      await startClaimed(this.#host, own, claim, { ...options, trigger: options.trigger.slice(0, 1_000) });
      this.#open.delete(request.id);
    } catch (error) {
      if (!isRunError(error) || isQueued || (error.code !== "LOCKED" && error.code !== "INVALID")) throw error;
      await this.#refuse(request, error.message);
    }
  }

  async #backfill(own: OwnSchedule, request: Request): Promise<void> {
    const moved = await backfillNext(this.#host, own, request, { wait: WAIT, signal: this.#signal });
    if (moved === undefined) this.#open.delete(request.id);
    else this.#open.set(request.id, moved);
  }

  /** Without a note of it, the audit would tell of a run that never was. */
  async #refuse({ name, id, version, value }: Request, refused: string): Promise<void> {
    const { store } = this.#host;
    const key = requestKey(name, id);
    const noted = store.noted({ action: "not-started", name, reason: refused, author: value.by });
    const ops = [
      { check: key, version },
      { put: key, value: { ...value, refused }, ttl: REQUEST_TTL },
    ];
    await store.channel.commitWith<unknown[]>(ops, [noted]);
    this.#open.delete(id);
  }

  /** Resolves to `false` if the store is away: the request stays, as no watch reports it again. */
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
