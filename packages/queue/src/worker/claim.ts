import { type ChannelOps, isRunError, type Op, type Run, type RunRecord, type Version } from "@ojm/core";
import type { KnownMaintenance, StartClaim, StartingRun } from "@ojm/core/internal";
import { type AttemptEnd, endOf, endOps } from "../store/end.js";
import {
  definitionKey,
  isItem,
  isTaken,
  itemOf,
  type QueuesValue,
  roundKey,
  type TakenItem,
  takenKey,
  uniqueKey,
} from "../store/entries.js";
import { type Definition, definitionOf, type QueueStore, type Waiting } from "../store/store.js";
import type { QueuePause } from "../types.js";
import type { Crew } from "./crew.js";

/** The item is not to be taken: another worker has it, or its queue is paused or under maintenance. */
export class NotTaken extends Error {
  readonly isGone: boolean;

  constructor(isGone: boolean) {
    super(isGone ? "another worker has the item" : "the queue is paused");
    this.isGone = isGone;
  }
}

/** A pause, unless it is over. */
export function pauseAt(pause: QueuePause | undefined, now: number): QueuePause | undefined {
  return pause === undefined || (pause.until ?? Number.POSITIVE_INFINITY) <= now ? undefined : pause;
}

/** Whether no item of a queue is taken now: it is paused, or under maintenance. */
export const isPaused = (queue: string, { pause }: Definition, maintenance: KnownMaintenance, now: number): boolean =>
  pauseAt(pause, now) !== undefined || maintenance.of(queue) !== undefined;

/** The parts of a worker that a claim uses. */
export interface ClaimSource {
  readonly store: QueueStore;
  readonly queue: string;
  readonly member: string;
  readonly maintenance: KnownMaintenance;
  readonly crew: Crew;
}

/**
 * The claim of a run on its item: the commit that takes the lock moves the item to those that are taken, and
 * the commit that releases the lock moves it to where it is after the attempt.
 */
export class ItemClaim implements StartClaim {
  readonly #source: ClaimSource;
  readonly #isClosed: () => boolean;
  waiting: Waiting;
  definition: Definition;
  #taken: TakenItem | undefined;
  /** The version of its entry, if newer data was written to it. */
  #version: Version | undefined;
  #decided: { readonly status: string; readonly end: AttemptEnd } | undefined;
  /** Ops of the program for the commit that completes the run. */
  more: readonly ChannelOps<unknown>[] = [];
  /** Its run, once that has begun. */
  run: Run | undefined;
  /** Ends its wait in line, if it may have one: the worker closes, or another one has the item. */
  readonly stop: AbortController | undefined;
  /** Whether the handler has ended its attempt itself. */
  isEnded = false;
  /** Whether its handler has returned: the slot is free, and the end of the run is on its way. */
  isEnding = false;
  /** Whether its handler is reported as one that ignores its signal. */
  isHung = false;

  constructor(
    source: ClaimSource,
    waiting: Waiting,
    definition: Definition,
    isLimited: boolean,
    isClosed: () => boolean,
  ) {
    this.#source = source;
    this.#isClosed = isClosed;
    this.waiting = waiting;
    this.definition = definition;
    this.stop = isLimited ? new AbortController() : undefined;
  }

  /** Whether its process closes: then its attempt does not count. */
  get isClosing(): boolean {
    if (this.run === undefined) return this.#isClosed();
    const { reason } = this.run.signal;
    return isRunError(reason) && reason.code === "CLOSING";
  }

  /** How the attempt ends if its run ends with this status. */
  decide(status: "failed" | "skipped", end: AttemptEnd): void {
    this.#decided = { status, end };
  }

  ops({ id: run, holder }: StartingRun): readonly ChannelOps<unknown>[] {
    const { queue, member, crew } = this.#source;
    const { key, version, item, id, rank, turn } = this.waiting;
    const by = { host: holder.host, pid: holder.pid, instance: holder.instance };
    this.#taken = { ...itemOf(item), rank, turn, by, member, run };
    const ops: Op<QueuesValue>[] = [
      { check: key, version },
      { check: definitionKey(queue), version: this.definition.version },
      { delete: key },
      { put: takenKey(queue, id), value: this.#taken },
    ];
    const { unique } = item;
    // The round of the item begins: those before are over.
    if (item.group !== undefined && turn >= crew.roundOf(rank))
      ops.push({ put: roundKey(queue, rank), value: { turn: turn + 1 } });
    if (unique?.until === "taken") ops.push({ delete: uniqueKey(queue, unique.key) });
    return [...this.#on(ops), this.#source.maintenance.check(queue)];
  }

  async refused(): Promise<void> {
    const { store, queue, maintenance } = this.#source;
    const { key } = this.waiting;
    const [[entry, definition]] = await Promise.all([
      store.channel.entriesUnder([key, definitionKey(queue)]),
      maintenance.read(),
    ]);
    if (entry === undefined || !isItem(entry.value)) throw new NotTaken(true);
    this.waiting = { ...this.waiting, version: entry.version, item: entry.value };
    this.definition = definitionOf(definition);
    if (isPaused(queue, this.definition, maintenance, store.clock.now())) throw new NotTaken(false);
  }

  end(record: RunRecord): readonly ChannelOps<unknown>[] {
    const { store, queue } = this.#source;
    const { id } = this.waiting;
    if (this.#taken === undefined) return [];
    const taken = { queue, id, options: this.definition.options, value: this.#taken };
    const more = record.status === "completed" ? this.more : [];
    this.#version ??= record.fence;
    const hasNext = this.#taken.unique?.until === "done" && this.#version !== undefined;
    const check = hasNext ? [{ check: takenKey(queue, id), version: this.#version as Version }] : [];
    return [...this.#on([...check, ...endOps(taken, this.#endBy(record), store.clock.now())]), ...more];
  }

  /** Newer data for the item may have come. */
  async endRefused(): Promise<boolean> {
    const { store, queue } = this.#source;
    const [entry] = await store.channel.entriesUnder([takenKey(queue, this.waiting.id)]);
    if (entry === undefined || entry.version === this.#version) return false;
    this.#version = entry.version;
    if (isTaken(entry.value)) this.#taken = entry.value;
    return true;
  }

  #endBy(record: RunRecord): AttemptEnd {
    if (this.#decided?.status === record.status) return this.#decided.end;
    const isBroken = record.status === "lost" || record.status === "cancelled";
    return isBroken && this.isClosing ? { type: "given back" } : endOf(record);
  }

  undo(_: StartingRun, version: Version): readonly ChannelOps<unknown>[] {
    const { queue } = this.#source;
    const { key, id, item } = this.waiting;
    return this.#on([
      { check: takenKey(queue, id), version },
      { delete: takenKey(queue, id) },
      { put: key, value: item },
    ]);
  }

  #on(ops: readonly Op<QueuesValue>[]): ChannelOps<unknown>[] {
    return [{ channel: this.#source.store.channel, ops } as ChannelOps<unknown>];
  }
}
