import { type Channel, type ChannelError, type Holder, isChannelError, isRunError, type Run } from "@ojm/core";
import {
  atMost,
  emitWarning,
  follow,
  GRACE,
  InFlight,
  inBackground,
  KnownMaintenance,
  readable,
  reasonText,
  restBy,
} from "@ojm/core/internal";
import { checkDuration } from "../options.js";
import { endBatch, endBatches } from "../store/batch.js";
import {
  isGroup,
  isTaken,
  lockOf,
  type MemberValue,
  memberKey,
  placeOf,
  type QueuesValue,
  type StoredItem,
  takesOf,
} from "../store/entries.js";
import { type Definition, definitionOf, isGoneHere, type QueueStore, type Waiting } from "../store/store.js";
import type { Handler, Worker, WorkerCloseOptions } from "../types.js";
import { ItemClaim, isPaused, NotTaken } from "./claim.js";
import { Crew, type Member, type TakenEntry, WATCHFUL } from "./crew.js";
import { Head } from "./head.js";
import { heldItem } from "./item.js";

/** The time between two checks, in ms. */
const TICK = 1_000;

/**
 * A worker shows this often that it lives, in ticks, and counts as living for this long without, in ms. For
 * every `CROWD` workers, both are longer by as much: all workers receive each of these writes.
 */
const BEAT = 20;
const MEMBER_TTL = 60_000;
const CROWD = 100;

/** The same for an idle worker, as many times: it is needed only once it is called. */
const IDLE_BEATS = 5;

/** Workers of other hosts are checked this often, in ticks: that may cost a read for each. */
const FAR = 5;

/** How long the first worker for an item may take before the next one takes it, in ms. */
const TURN = 50;

/** The same if its queue has permits or a rate: a worker that takes nothing may wait in line for these. */
const TURN_IN_LINE = 1_000;

/** As many workers set a timer for an item that is for another. The others see it at their next check. */
const NEXT = 4;

/** How many active items an idle worker reads to find that a worker died, the oldest first. */
const OLDEST = 10;

/** The most idle workers that one worker calls at once. */
const CALLED = 50;

/** How many workers expect the time of the next delayed item, and how long each waits for the one before. */
const MOVERS = 3;
const MOVE_TURN = 200;

/** The pause after an error of the store, or of a start, in ms. */
const REST = 1_000;

/** While the store is full, each pause is twice the one before, up to this, in ms. */
const LONGEST_REST = 30_000;

/** The least and the most items that are read at once. */
const PAGE = 50;
const LARGEST_PAGE = 500;

/**
 * How many starts of a worker wait at once, if its queue has permits or a rate. More would stand in line for
 * the same permits, and each return of one would wake them all.
 */
const IN_LINE = 2;

/** How long an attempt waits in line for its permits, in ms. Its item may be taken by another meanwhile. */
const PERMIT_WAIT = 60_000;

/** How long handlers may take after their signals fired at the end of the grace, in ms. */
const LAST_MOMENT = 500;

/** A handler that runs for so long after its signal fired is reported, in ms. */
const HUNG = 30_000;

/** See {@link Worker}. */
export class QueueWorker implements Worker {
  readonly queue: string;
  readonly #store: QueueStore;
  readonly #handler: Handler;
  readonly #concurrency: number;
  readonly #member: string;
  readonly #crew: Crew;
  readonly #head: Head;
  readonly #group: ReturnType<QueueStore["manager"]["group"]>;
  readonly #active: Map<string, ItemClaim> = new Map();
  /** The runs whose handlers this worker called, until it no longer has their items. */
  readonly #begun: Map<string, string> = new Map();
  readonly #working: InFlight = new InFlight();
  /** Items that could not be taken, and until when they are left alone. */
  readonly #resting: Map<string, number> = new Map();
  /** Since when an item is for another worker. */
  readonly #offered: Map<string, number> = new Map();
  /** The batches that are checked for their end now; true if another check must follow. */
  readonly #batches: Map<string, boolean> = new Map();
  readonly #closing: AbortController = new AbortController();
  readonly #onClose: (worker: QueueWorker) => void;
  readonly #maintenance: KnownMaintenance;
  #definition: Definition;
  #restUntil = 0;
  /** The last pause after an error. */
  #rest = 0;
  #ticks = 0;
  /** The tick of the next beat, and that of the last start of an item. */
  #nextBeat = 0;
  #usedAt = 0;
  #isDealing = false;
  /** Whether it follows the items: an idle worker does not. */
  #isReady = false;
  /** Ends the watches of the items. */
  #watching: AbortController = new AbortController();
  /** The first item that no worker had taken at the last check. */
  #firstLeft: string | undefined;
  #warned: string | undefined;
  #cancelTick: () => void = () => {};
  #cancelTurn: () => void = () => {};
  #due = Number.POSITIVE_INFINITY;
  #cancelDue: () => void = () => {};
  #isMoving = false;
  /** Nothing is checked before it has begun. */
  #isChecking = true;
  #closed: Promise<void> | undefined;

  constructor(
    store: QueueStore,
    queue: string,
    handler: Handler,
    { member, concurrency, onClose }: { member: string; concurrency: number; onClose: (worker: QueueWorker) => void },
  ) {
    this.queue = queue;
    this.#store = store;
    this.#handler = handler;
    this.#concurrency = concurrency;
    this.#member = member;
    this.#crew = new Crew(member, this.#value);
    this.#head = new Head(store, queue);
    this.#group = store.manager.group();
    this.#definition = definitionOf(undefined);
    this.#maintenance = new KnownMaintenance(store.manager.channels.locks as Channel<unknown>, store.clock);
    this.#onClose = onClose;
  }

  get active(): number {
    return this.#active.size;
  }

  /** Follows the store, and begins to take items. */
  async begin(): Promise<void> {
    const { signal } = this.#closing;
    try {
      await Promise.all([
        this.#follow<QueuesValue>("def", signal, {
          put: (_, value, version) => this.#defined(definitionOf({ value, version })),
          gone: () => this.#defined(definitionOf(undefined)),
          synced: () => {},
        }),
        this.#follow(
          "m",
          signal,
          this.#crew.members(() => this.#membersChanged()),
        ),
        this.#maintenance.follow(signal, () => this.#deal()),
      ]);
      const isIdle = this.#store.channel.supports.watch && this.#crew.others("watchful").length >= WATCHFUL;
      if (!isIdle) await this.#watch();
      await this.#beat(isIdle);
    } catch (error) {
      this.#stop();
      throw error;
    }
    this.#isChecking = false;
    this.#armTick();
  }

  #follow<V>(kind: string, signal: AbortSignal, followed: Parameters<typeof follow<V>>[3]): Promise<void> {
    const { channel, clock } = this.#store;
    return follow<V>(channel as never, clock, [kind, this.queue], followed, signal);
  }

  /** Follows the items, and takes them from now on. */
  async #watch(): Promise<void> {
    const { channel } = this.#store;
    const { queue } = this;
    const watching = new AbortController();
    const { signal } = watching;
    this.#watching = watching;
    const failed = (error: Error): void => this.#failed(error);
    const watchRange = async (kind: string, watcher: Omit<Parameters<typeof channel.watchRange>[1], "failed">) => {
      const stop = await channel.watchRange([kind, queue], { ...watcher, failed });
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    };
    try {
      await this.#follow(
        "t",
        signal,
        this.#crew.items((id) => this.#takenChanged(id)),
      );
      // An item that is tried again has an old turn: the round must not go back to that.
      for await (const { key, value } of readable(channel, { prefix: ["round", queue] }))
        if (isGroup(value)) this.#crew.sawRound(Number((key as readonly unknown[])[2]), value.turn);
      if (channel.supports.watch) {
        await watchRange("w", {
          changed: (key, change) => {
            this.#head.changed(key, change);
            this.#deal();
          },
          gap: () => {
            this.#head.reset();
            this.#deal();
          },
        });
        await watchRange("due", {
          changed: (key, { deleted }) => {
            if (!deleted) this.#expectDue(Number((key as readonly unknown[])[2]));
          },
          gap: () => this.#moveSoon(0),
        });
      }
    } catch (error) {
      this.#forget();
      throw error;
    }
    await this.#inBackground(() => this.#checkTaken());
    this.#isReady = true;
    this.#usedAt = this.#ticks;
    this.#moveSoon(0);
    this.#deal();
  }

  /** No longer follows the items. */
  #forget(): void {
    this.#isReady = false;
    this.#watching.abort();
    this.#crew.reset();
    this.#head.reset();
    this.#offered.clear();
    this.#cancelTurn();
    this.#cancelDue();
    this.#due = Number.POSITIVE_INFINITY;
  }

  /** Whether this worker has had nothing to do for a while, and enough others follow the items. */
  get #mayIdle(): boolean {
    if (!this.#store.channel.supports.watch || this.#closing.signal.aborted || !this.#isReady) return false;
    const isUsed = this.#active.size > 0 || this.#crew.isBusy || this.#ticks < this.#usedAt + BEAT;
    return !isUsed && this.#crew.rank >= WATCHFUL;
  }

  #membersChanged(): void {
    if (!this.#isReady) this.#checkInBackground();
    else this.#deal();
  }

  /** An idle worker follows the items once it is called, or if too few of those that do are alive. */
  async #checkIdle(): Promise<void> {
    const isCalled = this.#crew.own.value.idle !== true;
    const others = this.#crew.others("watchful").length + this.#crew.rank;
    if (!isCalled && others >= WATCHFUL && !(await this.#isLeft())) return;
    if (this.#closing.signal.aborted) return;
    await this.#watch();
    if (!isCalled) await this.#beat();
  }

  /** Whether items wait, or are with a dead worker, and no other worker may see that. */
  async #isLeft(): Promise<boolean> {
    const { channel, host, manager } = this.#store;
    const isDead = ({ value: { by } }: Member): boolean => by.host === host && isGoneHere(by.pid);
    if (this.#crew.others("watchful").some(isDead) && this.#crew.isFirstOfHost(isGoneHere)) return true;
    if (!this.#isTurn(FAR)) return false;
    const before = this.#firstLeft;
    this.#firstLeft = undefined;
    for await (const { key } of channel.keys({ prefix: ["w", this.queue], limit: 1 }))
      this.#firstLeft = placeOf(key)?.id;
    if (this.#firstLeft !== undefined && this.#firstLeft === before && !this.#isPaused) return true;
    const holders = new Map<string, Holder>();
    for await (const { value } of readable(channel, { prefix: ["t", this.queue], limit: OLDEST }))
      if (isTaken(value)) holders.set(value.by.instance, value.by);
    for (const by of holders.values()) if (await manager.isGone(by)) return true;
    return false;
  }

  #checkInBackground(): void {
    if (this.#isChecking || this.#closing.signal.aborted) return;
    this.#isChecking = true;
    void this.#inBackground(() => (this.#isReady ? this.#checkTaken() : this.#checkIdle())).finally(() => {
      this.#isChecking = false;
    });
  }

  /** Calls idle workers for the items that the others have no slots for; `least`: as many at least. */
  #callIdle(now: number, least = 0): void {
    if (!this.#crew.hasIdle) return;
    let spare = sumOf(this.#crew.free(Math.max(0, this.#freeSlots)));
    const isFull = spare === 0;
    const groups = this.#groupsStarting();
    for (const waiting of this.#head.items) {
      if (spare <= -CALLED) break;
      if (this.#isFree(waiting, now, groups)) spare--;
    }
    // Slots are not what the items of a queue with permits or a rate wait for, unless there is none.
    let missing = Math.max(least, this.#isLimited ? Number(isFull && spare < 0) : -spare);
    if (missing <= 0 || (least === 0 && this.#crew.rank > 0)) return;
    for (const member of this.#crew.others("idle")) {
      if (missing <= 0) break;
      missing -= member.value.concurrency;
      void this.#inBackground(() => this.#call(member, this.#crew.called(member)));
    }
  }

  async #call({ id, value: { by }, version }: Member, value: MemberValue): Promise<void> {
    const key = memberKey(this.queue, id);
    const change =
      by.host === this.#store.host && isGoneHere(by.pid)
        ? { delete: key }
        : { put: key, value, ttl: MEMBER_TTL * this.#crowds };
    await this.#store.channel.commit([{ check: key, version: version ?? null }, change]);
  }

  #defined(definition: Definition): void {
    this.#definition = definition;
    this.#deal();
  }

  #takenChanged(id: string): void {
    const active = this.#active.get(id);
    const isTaken = this.#crew.taken.has(id);
    if (active?.run === undefined && isTaken && this.#crew.taken.get(id)?.value.member !== this.#member)
      active?.stop?.abort();
    if (!isTaken) {
      if (active === undefined) this.#begun.delete(id);
      // A permit is free, perhaps the one that an item needs.
      this.#resting.clear();
    }
    this.#deal();
  }

  /** Takes items soon: once for all changes of a moment. */
  #deal(): void {
    if (this.#isDealing || !this.#isReady) return;
    this.#isDealing = true;
    void Promise.resolve().then(() => {
      this.#isDealing = false;
      this.#take();
    });
  }

  /**
   * Takes the items that are for this worker. Each worker deals the first items to all free slots, and knows
   * the same items and slots: so two rarely want the same one. A worker takes what is for another one only
   * after a moment.
   */
  #take(): void {
    const { clock } = this.#store;
    const now = clock.monotonic();
    if (!this.#isReady || this.#closing.signal.aborted || now < this.#restUntil || this.#isPaused) return;
    this.#callIdle(now);
    let own = this.#freeSlots;
    if (own <= 0) {
      // It must know the next items if it is to call others for them.
      if (this.#crew.hasIdle && this.#head.items.length === 0 && this.#head.hasMore) this.#fill(1);
      return;
    }
    const free = this.#crew.free(own);
    const all = [...free.keys()];
    const wanted = sumOf(free);
    let slots = wanted;
    let next = Number.POSITIVE_INFINITY;
    const groups = this.#groupsStarting();
    const taken: Waiting[] = [];
    for (const waiting of this.#head.items) {
      if (slots <= 0 || own <= 0) break;
      const { id } = waiting;
      if (!this.#isFree(waiting, now, groups)) continue;
      slots--;
      const first = this.#crew.firstFor(id, free.keys()) ?? this.#member;
      const left = (free.get(first) ?? 1) - 1;
      if (left > 0) free.set(first, left);
      else free.delete(first);
      if (first !== this.#member) {
        const since = this.#offered.get(id) ?? now;
        this.#offered.set(id, since);
        const rank = this.#crew.rankFor(id, all);
        const at = since + (this.#isLimited ? TURN_IN_LINE : TURN) * Math.max(1, rank);
        if (now < at) {
          if (rank <= NEXT) next = Math.min(next, at);
          continue;
        }
      }
      own--;
      taken.push(waiting);
      const { group } = waiting.item;
      if (group !== undefined) groups.set(group, (groups.get(group) ?? 0) + 1);
    }
    for (const waiting of taken) this.#start(waiting);
    this.#cancelTurn();
    if (next < Number.POSITIVE_INFINITY) this.#cancelTurn = clock.after(Math.max(1, next - now), () => this.#deal());
    if (slots > 0 && this.#head.hasMore) this.#fill(wanted);
  }

  /** A slot is free once its handler has returned: the end of a run and the next start are one call then. */
  get #freeSlots(): number {
    let [handling, starting] = [0, 0];
    for (const { isEnding, run } of this.#active.values()) {
      if (!isEnding) handling++;
      if (run === undefined) starting++;
    }
    const inLine = this.#isLimited ? IN_LINE : this.#concurrency;
    // If the store is slow, no more ends are under way than handlers are called at once.
    return Math.min(this.#concurrency - handling, inLine - starting, 2 * this.#concurrency - this.#active.size);
  }

  /** Whether the starts of the queue wait in line for permits or a rate. */
  get #isLimited(): boolean {
    const { permits, rate } = this.#definition.options;
    return permits !== undefined || rate !== undefined;
  }

  #fill(wanted: number): void {
    const limit = Math.min(LARGEST_PAGE, Math.max(PAGE, 2 * wanted));
    this.#head.fill(limit).then(
      () => this.#deal(),
      (error) => this.#failed(error),
    );
  }

  /** How many items of each group this worker is taking, which the store does not say yet. */
  #groupsStarting(): Map<string, number> {
    const groups = new Map<string, number>();
    if (this.#definition.options.perGroup === undefined) return groups;
    for (const [id, { waiting }] of this.#active) {
      const { group } = waiting.item;
      if (group !== undefined && !this.#crew.taken.has(id)) groups.set(group, (groups.get(group) ?? 0) + 1);
    }
    return groups;
  }

  /** Whether an item waits for nothing but a slot. */
  #isFree(waiting: Waiting, now: number, groups: ReadonlyMap<string, number>): boolean {
    const { id, item } = waiting;
    if (this.#active.has(id) || this.#crew.taken.has(id) || (this.#resting.get(id) ?? 0) > now) return false;
    const { perGroup } = this.#definition.options;
    if (perGroup === undefined || item.group === undefined) return true;
    return this.#crew.inGroup(item.group) + (groups.get(item.group) ?? 0) < perGroup;
  }

  get #isPaused(): boolean {
    return isPaused(this.queue, this.#definition, this.#maintenance, this.#store.clock.now());
  }

  #start(waiting: Waiting): void {
    const own = { queue: this.queue, member: this.#member };
    const source = { ...own, store: this.#store, maintenance: this.#maintenance, crew: this.#crew };
    const isClosed = (): boolean => this.#closing.signal.aborted;
    const claim = new ItemClaim(source, waiting, this.#definition, this.#isLimited, isClosed);
    this.#active.set(waiting.id, claim);
    this.#usedAt = this.#ticks;
    this.#offered.delete(waiting.id);
    void this.#working.during(() => this.#run(waiting, claim));
  }

  /** Takes an item, handles it, and frees its slot. */
  async #run(waiting: Waiting, claim: ItemClaim): Promise<void> {
    const { id } = waiting;
    const { manager } = this.#store;
    let handled: Promise<void> | undefined;
    try {
      await manager.run(
        this.queue,
        (run) => {
          claim.run = run;
          this.#rest = 0;
          this.#deal();
          this.#head.remove(claim.waiting, claim.waiting.version);
          this.#begun.set(id, run.id);
          const result = this.#handle(run, claim);
          const stopWatch = this.#watchEnd(run, claim);
          const over = (): void => {
            stopWatch();
            claim.isEnding = true;
            this.#deal();
          };
          handled = result.then(over, over);
          return result;
        },
        this.#runOptions(claim),
      );
    } catch (error) {
      // Of an attempt that has begun, the record has the error.
      if (claim.run === undefined) this.#notTaken(waiting, error);
      else if (isChannelError(error)) this.#failed(error);
    }
    // A handler that ignores its signal keeps its slot: more handlers than slots must not run.
    await handled;
    this.#active.delete(id);
    if (claim.isHung) void this.#inBackground(() => this.#beat());
    if (!this.#crew.taken.has(id)) this.#begun.delete(id);
    this.#endBatchOf(claim.waiting.item);
    this.#deal();
  }

  /** Ends the batch of an item, if that was its last. One check at a time, and one after the last end. */
  #endBatchOf({ batch }: StoredItem): void {
    if (batch === undefined) return;
    const isChecked = this.#batches.has(batch);
    this.#batches.set(batch, true);
    if (isChecked) return;
    void this.#inBackground(async () => {
      while (this.#batches.get(batch) === true) {
        this.#batches.set(batch, false);
        await endBatch(this.#store, this.queue, batch);
      }
    }).finally(() => this.#batches.delete(batch));
  }

  /** Reports the handler if it does not end although its signal fired: others see one slot less. */
  #watchEnd(run: Run, claim: ItemClaim): () => void {
    const { clock } = this.#store;
    let stop = (): void => {};
    const fired = (): void => {
      stop = clock.after(HUNG, () => {
        if (this.#closing.signal.aborted) return;
        claim.isHung = true;
        const text = `a handler of the queue "${this.queue}" still runs ${HUNG / 1_000} s after its signal fired (${run.id}: ${reasonText(run.signal.reason)})`;
        const slots = `${this.#hung} of ${this.#concurrency} slots of this worker are lost to such handlers`;
        emitWarning("OJM_QUEUE", `${text}. ${slots}: let it listen to item.signal, or start the process again`);
        void this.#inBackground(() => this.#beat());
      });
    };
    run.signal.addEventListener("abort", fired, { once: true });
    return () => {
      run.signal.removeEventListener("abort", fired);
      stop();
    };
  }

  /** How many handlers are reported and still run. */
  get #hung(): number {
    return [...this.#active.values()].filter(({ isHung }) => isHung).length;
  }

  #runOptions(claim: ItemClaim) {
    const { id, item } = claim.waiting;
    const { options } = claim.definition;
    const takes = takesOf(this.queue, options, item.group);
    // The item of a group that is full waits by itself; for the rest, its run waits in line.
    const permitWait = this.#isLimited ? PERMIT_WAIT : 0;
    return {
      lock: lockOf(this.queue, id),
      claim,
      timeout: options.timeout,
      wait: 0,
      ...takes,
      ...((takes.permits || takes.rate) && { permitWait }),
      ...(options.record !== undefined && { record: options.record }),
      trigger: "queue",
      meta: { ...item.meta, item: id, attempt: item.attempt },
      group: this.#group,
      waitSignal: claim.stop?.signal ?? this.#closing.signal,
    };
  }

  async #handle(run: Run, claim: ItemClaim): Promise<unknown> {
    const { expires } = claim.waiting.item;
    const item = heldItem(this.queue, run, claim);
    if (expires !== undefined && expires <= this.#store.clock.now()) {
      await run.skip("its time to live was over before a worker took it");
      return undefined;
    }
    if (this.#closing.signal.aborted) {
      await item.giveBack("its worker closed");
      return undefined;
    }
    try {
      return await this.#handler(item);
    } catch (error) {
      if (claim.isEnded) return undefined;
      // The process closes, and the handler gave up for that: another worker makes the attempt.
      if (!claim.isClosing) throw error;
      await item.giveBack(`its worker closed: ${reasonText(error)}`);
      return undefined;
    }
  }

  /** A start failed: the item is left alone for a while, unless another worker has it. */
  #notTaken(waiting: Waiting, error: unknown): void {
    const now = this.#store.clock.monotonic();
    if (error instanceof NotTaken) {
      if (error.isGone) this.#head.remove(waiting, waiting.version);
      this.#resting.set(waiting.id, now + TURN);
      return;
    }
    this.#resting.set(waiting.id, now + REST);
    if (isRunError(error) && error.code !== "INVALID") return;
    this.#failed(error);
  }

  /** An error that is not that of a handler: this worker rests, and tries again. */
  #failed(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    if (isChannelError(error) && error.code === "CLOSED") {
      this.#stop();
      return;
    }
    // A damaged entry, such as the lock of an item, must not keep the worker from other items.
    if (!isChannelError(error) || error.code !== "CORRUPT") {
      const now = this.#store.clock.monotonic();
      const isFull = isChannelError(error) && error.code === "FULL";
      // Starts that failed together count as one.
      if (now >= this.#restUntil) this.#rest = Math.min(Math.max(REST, isFull ? 2 * this.#rest : 0), LONGEST_REST);
      this.#restUntil = now + this.#rest;
    }
    const text = reasonText(error);
    if ((isChannelError(error) && (error as ChannelError).retryable) || text === this.#warned) return;
    this.#warned = text;
    emitWarning("OJM_QUEUE", `a worker of the queue "${this.queue}" cannot take items: ${text}`);
  }

  #armTick(): void {
    const { clock } = this.#store;
    // Keeps the process alive: a worker waits for items.
    this.#cancelTick = clock.after(
      restBy(clock, TICK),
      () => {
        if (this.#closing.signal.aborted) return;
        this.#armTick();
        this.#tick();
      },
      true,
    );
  }

  #tick(): void {
    this.#ticks++;
    if (this.#ticks >= this.#nextBeat) void this.#inBackground(() => this.#beat());
    this.#checkInBackground();
    if (!this.#isReady) return;
    if (this.#isTurn(BEAT)) void this.#inBackground(() => endBatches(this.#store, this.queue));
    if (!this.#store.channel.supports.watch) this.#head.reset();
    const now = this.#store.clock.monotonic();
    for (const [id, until] of this.#resting) if (until <= now) this.#resting.delete(id);
    for (const [id, since] of this.#offered) if (since < now - 60 * REST) this.#offered.delete(id);
    // A wall clock that was set makes delayed items due.
    if (this.#due <= this.#store.clock.now()) this.#moveSoon(0);
    if (this.#isTurn(this.#store.channel.supports.watch ? BEAT : 1)) void this.#moveNow();
    this.#callForFirst(now);
    this.#deal();
  }

  /** Calls one idle worker if the first item has waited since the last tick: those it is for may be dead. */
  #callForFirst(now: number): void {
    const before = this.#firstLeft;
    const groups = this.#groupsStarting();
    this.#firstLeft = this.#head.items.find((waiting) => this.#isFree(waiting, now, groups))?.id;
    const isLeft = this.#firstLeft !== undefined && this.#firstLeft === before;
    if (isLeft && this.#isTurn(1) && !this.#isPaused) this.#callIdle(now, 1);
  }

  /**
   * Whether this worker does now what one worker must do for all: the first ones every `ticks`, the others
   * ever more seldom, so that thousands cost little, and the work is done even if the first ones are dead.
   */
  #isTurn(ticks: number): boolean {
    return this.#ticks % (ticks * (1 + Math.floor(this.#crew.rank / MOVERS))) === 0;
  }

  #inBackground(work: () => Promise<unknown>): Promise<void> {
    return inBackground(() => work().catch((error) => this.#failed(error)));
  }

  get #value(): MemberValue {
    const { host, instance } = this.#store;
    const hung = this.#hung;
    const concurrency = this.#concurrency - hung;
    return { by: { host, pid: process.pid, instance }, concurrency, ...(hung > 0 && { hung }) };
  }

  get #crowds(): number {
    return 1 + Math.floor(this.#crew.size / CROWD);
  }

  /** Shows that this worker lives, and whether it is idle. */
  async #beat(idle = !this.#isReady || this.#mayIdle): Promise<void> {
    const { channel } = this.#store;
    const key = memberKey(this.queue, this.#member);
    const { version: known, value: before } = this.#crew.own;
    const times = this.#crowds * (idle ? IDLE_BEATS : 1);
    this.#nextBeat = this.#ticks + BEAT * times;
    const value = { ...this.#value, ...(idle && { idle: true as const }) };
    const put = { put: key, value, ttl: MEMBER_TTL * times };
    // Another worker may remove the mark at this moment: it must not come back.
    const result = await channel.commit(before.idle ? [{ check: key, version: known ?? null }, put] : [put]);
    if (!result.ok) return;
    const isIdle = this.#mayIdle && (this.#crew.own.version ?? "") < result.version;
    this.#crew.saw(this.#member, value, result.version);
    if (!idle || !this.#isReady) return;
    if (isIdle) this.#forget();
    else await this.#beat(false);
  }

  /** Moves delayed items in turn with the other workers. */
  #expectDue(at: number): void {
    if (at >= this.#due) return;
    this.#due = at;
    this.#moveSoon(at - this.#store.clock.now());
  }

  #moveSoon(ms: number): void {
    const { clock } = this.#store;
    const { rank } = this.#crew;
    this.#cancelDue();
    if (rank >= MOVERS || this.#closing.signal.aborted) return;
    this.#cancelDue = clock.after(Math.max(1, ms) + rank * MOVE_TURN, () => void this.#moveNow());
  }

  async #moveNow(): Promise<void> {
    if (this.#isMoving) return;
    this.#isMoving = true;
    await this.#inBackground(async () => {
      this.#due = Number.POSITIVE_INFINITY;
      this.#expectDue((await this.#store.moveDue(this.queue)) ?? this.#due);
    });
    this.#isMoving = false;
  }

  /** Ends the attempts of workers that are gone, and those of this one that have no end. */
  async #checkTaken(): Promise<void> {
    const isTurn = this.#isTurn(FAR);
    const gone = new Map<string, boolean>();
    const lost: TakenEntry[] = [];
    for (const entry of [...this.#crew.taken.values()]) {
      const { member, by } = entry.value;
      if (member === this.#member) {
        if (!this.#active.has(entry.id)) lost.push(entry);
        continue;
      }
      // Only a process of the same host can see at once that this one is gone.
      const isDead = by.host === this.#store.host && isGoneHere(by.pid);
      if (!isTurn && !(isDead && this.#crew.isFirstOfHost(isGoneHere))) continue;
      if (!gone.has(by.instance)) gone.set(by.instance, await this.#store.manager.isGone(by));
      if (gone.get(by.instance) === true) lost.push(entry);
    }
    if (lost.length === 0) return;
    // Frees the locks of dead processes, and closes their runs.
    if (gone.size > 0) await this.#store.manager.sweep();
    for (const entry of lost) await this.#endLost(entry);
  }

  async #endLost({ id, value, version }: TakenEntry): Promise<void> {
    const taken = { queue: this.queue, id, options: this.#definition.options, value };
    const isOwn = value.member === this.#member;
    const neverBegan = isOwn && this.#begun.get(id) !== value.run;
    const who = isOwn ? "its run ended, but that is not recorded" : "its worker died";
    const lost = { type: "failed", error: `lost: ${who}`, ...(value.attempt === 1 && { retry: 0 }) } as const;
    await this.#store.endLost(taken, version, neverBegan ? { type: "given back" } : lost);
    this.#endBatchOf(value);
  }

  #stop(): void {
    this.#closing.abort();
    for (const { stop } of this.#active.values()) stop?.abort();
    this.#cancelTick();
    this.#cancelTurn();
    this.#cancelDue();
    this.#watching.abort();
    this.#onClose(this);
  }

  close(options: WorkerCloseOptions = {}): Promise<void> {
    const grace = checkDuration(this.queue, "grace", options.grace ?? GRACE);
    this.#closed ??= this.#close(grace);
    return this.#closed;
  }

  async #close(grace: number): Promise<void> {
    const { clock, channel } = this.#store;
    this.#stop();
    await atMost(clock, grace, this.#working.none());
    const rest = this.#group.close({ grace: LAST_MOMENT * 2 });
    await atMost(clock, LAST_MOMENT, this.#working.none());
    for (const claim of this.#active.values()) {
      claim.decide("skipped", { type: "given back" });
      await claim.run?.skip("its worker closed before the handler returned").catch(() => {});
    }
    await rest;
    await inBackground(() => channel.unset(memberKey(this.queue, this.#member)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const sumOf = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((sum, one) => sum + one, 0);
