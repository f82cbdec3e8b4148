import { createHash } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Clock, Duration, Events } from "@ojm/core";
import { checkedDuration } from "@ojm/core/backend";
import { emitWarning } from "@ojm/core/internal";
import type { ScheduleTick } from "@ojm/schedule";
import { type CheckResult, type Context, check, takeTurn } from "./check/check.js";
import { outboxOf } from "./check/state.js";
import { refuse } from "./rules/check.js";
import { type CheckedRule, OWN_NAME } from "./rules/checked-rule.js";

/** How much the interval between two checks varies around `every`, so that processes do not check in step. */
const JITTER = 0.2;

/** How long a check after an event waits for further events, in ms. */
const GATHER = 20;

/** The shortest pause before a check that is known to be due, in ms. */
const SHORTEST = 100;

/** The first pause after a check that found another process at work, in ms. Each pause doubles. */
const AGAIN = 1_000;

/** How often the timer that keeps the process alive is set again, in ms. */
const STAY = 86_400_000;

/**
 * Checks after events and at regular intervals, and keeps the process alive, until it is closed. {@link
 * openAlerts} opens it.
 */
export class Alerts {
  readonly #context: Context;
  readonly #clock: Clock;
  readonly #every: number;
  readonly #turn: string;
  #checking: Promise<void> | undefined;
  #asked = false;
  #down: ReadonlySet<string> = new Set();
  readonly #cancel: Set<() => void> = new Set();
  /** When the next check is known to be due: one timer, even if several checks found the same work. */
  #due = Number.POSITIVE_INFINITY;
  #cancelDue: () => void = () => {};
  #locked = 0;
  #closed: Promise<void> | undefined;
  #warned = false;
  /** Whether the last check succeeded, and no other process was at work. */
  #sawAll = true;
  readonly #giveUp = new AbortController();

  /** @internal Use {@link openAlerts}. */
  constructor(context: Omit<Context, "signal" | "judged">, clock: Clock, every: number) {
    this.#context = { ...context, judged: new Map(), signal: this.#giveUp.signal };
    this.#clock = clock;
    this.#every = every;
    const ids = context.rules.map(({ id }) => id).sort();
    this.#turn = createHash("sha256").update(ids.join(" ")).digest("base64url").slice(0, 16);
  }

  /** @internal */
  begin(): void {
    subscribe("ojm:run:ended", this.#onEnd);
    subscribe("ojm:run:started", this.#onStart);
    subscribe("ojm:tick", this.#onTick);
    this.#stay();
    this.#keepChecking();
    // The first check finds what a dead process left unreported. The turn records the time from which a rule
    // that is added later must check.
    void this.#takeTurn().catch(() => {});
    this.#ask();
  }

  /** A listener is called in the middle of a run: it only requests a check. */
  readonly #onEnd = (event: unknown): void => {
    const { name, inError } = (event as Events["ojm:run:ended"]).record;
    const about = (wanted: boolean): boolean =>
      this.#context.rules.some((rule) => rule.matches(name) && (wanted || rule.on.has("completed")));
    if (name !== OWN_NAME && about(inError === true || this.#down.has(name))) this.#ask();
  };

  readonly #onStart = (event: unknown): void => {
    const { name } = (event as Events["ojm:run:started"]).record;
    if (this.#context.rules.some((rule) => rule.on.has("started") && rule.matches(name))) this.#ask();
  };

  /** A scheduler of this process decided on a tick. */
  readonly #onTick = (event: unknown): void => {
    const { schedule, at, outcome } = event as Pick<ScheduleTick, "schedule" | "at" | "outcome">;
    const delay = this.#context.now() - at;
    const about = ({ on, later, matches }: CheckedRule): boolean =>
      (outcome === "missed" ? on.has("missed") : outcome === "run" && on.has("late") && delay > later) &&
      matches(schedule);
    if (this.#context.rules.some(about)) this.#ask();
  };

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#after(GATHER, () => this.#check());
  }

  #after(ms: number, callback: () => void, keepAlive = false): () => void {
    const fired = (): void => {
      this.#cancel.delete(cancel);
      callback();
    };
    const cancel = this.#clock.after(ms, fired, keepAlive);
    this.#cancel.add(cancel);
    return () => {
      this.#cancel.delete(cancel);
      cancel();
    };
  }

  /** Without it, a process that only watches for missed ticks would end at once, without a message. */
  #stay(): void {
    this.#after(STAY, () => this.#stay(), true);
  }

  #keepChecking(): void {
    const jitter = 1 - JITTER + 2 * JITTER * (Number.parseInt(this.#clock.random(4), 36) / 36 ** 4);
    this.#after(this.#every * jitter, async () => {
      try {
        // A check that no event requested. One process does it for all.
        if (await this.#takeTurn()) await this.#check();
      } catch (error) {
        this.#warn(error);
      }
      if (this.#closed === undefined) this.#keepChecking();
    });
  }

  #takeTurn(): Promise<boolean> {
    const { channel, now } = this.#context;
    return takeTurn(channel, this.#turn, this.#every * (1 - JITTER) - 1, now());
  }

  /** Checks, or waits for the running check, and checks again if another one was requested meanwhile. */
  async #check(wait = 0): Promise<void> {
    if (this.#checking !== undefined) {
      await this.#checking;
      if (this.#asked) await this.#check(wait);
      return;
    }
    this.#asked = false;
    this.#checking = this.#checkOnce(wait);
    await this.#checking;
    this.#checking = undefined;
  }

  async #checkOnce(wait: number): Promise<void> {
    this.#sawAll = false;
    try {
      const { next, down, locked }: CheckResult = await check(this.#context, wait);
      this.#sawAll = locked !== true;
      this.#down = down;
      this.#warned = false;
      // The process that holds the lock may have checked before this process's event, so check again later.
      this.#locked = locked ? this.#locked + 1 : 0;
      if (locked) this.#wakeAt(this.#context.now() + AGAIN * 2 ** Math.min(this.#locked - 1, 20));
      else if (next !== undefined) this.#wakeAt(next);
    } catch (error) {
      this.#warn(error);
    }
  }

  /** A later `time` needs no timer: the regular check of the process in turn finds it. */
  #wakeAt(time: number): void {
    const rest = time - this.#context.now();
    if (rest > this.#every || this.#closed !== undefined || time >= this.#due) return;
    this.#cancelDue();
    this.#due = time;
    this.#cancelDue = this.#after(Math.max(SHORTEST, rest), () => {
      this.#due = Number.POSITIVE_INFINITY;
      void this.#check();
    });
  }

  /** Warns once until a check succeeds, so that a long outage of the store does not repeat the warning. */
  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    const text = error instanceof Error ? error.message : String(error);
    emitWarning("OJM_ALERT", `alerts wait, because a check failed: ${text}`);
  }

  /**
   * Checks once more if a run ended since the last check, waits for the deliveries in flight, and ends.
   * Alerts that are not delivered by then wait in the store, for any process with the same rules. Close it
   * before the manager. A second call joins the first.
   *
   * `wait`: how long that may take. Deliveries that are still running then are aborted and made again later.
   * Default: as long as the receivers take, without waiting for another process that delivers.
   */
  async close({ wait }: { readonly wait?: Duration } = {}): Promise<void> {
    const most = wait === undefined ? undefined : checkedDuration("wait", wait, refuse);
    this.#closed ??= this.#close(most);
    return this.#closed;
  }

  /**
   * How many alerts of these rules wait for their receivers; `undefined` if that is not known, because the
   * last check failed or another process is at work.
   */
  async waiting(): Promise<number | undefined> {
    if (!this.#sawAll) return undefined;
    const { channel, rules } = this.#context;
    let count = 0;
    for (const { id } of rules) for await (const _ of channel.keys({ prefix: outboxOf(id) })) count++;
    return count;
  }

  async #close(wait: number | undefined): Promise<void> {
    unsubscribe("ojm:run:ended", this.#onEnd);
    unsubscribe("ojm:run:started", this.#onStart);
    unsubscribe("ojm:tick", this.#onTick);
    for (const cancel of this.#cancel) cancel();
    const late = wait === undefined ? () => {} : this.#clock.after(wait, () => this.#giveUp.abort());
    try {
      const asked = this.#asked;
      await this.#checking;
      // Another process that delivers may have checked before the last run of this process ended.
      if (asked || (wait !== undefined && !this.#sawAll)) await this.#check(wait);
    } finally {
      late();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
