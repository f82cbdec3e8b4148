import type { FakeClock } from "../fake-clock.js";
import type { Call, Fault, FaultyBackend } from "../stores/faulty-backend.js";
import type { SharedStore } from "../stores/shared-store.js";
import type { Dice } from "./dice.js";
import { isAudit, isLock } from "./entry-kinds.js";
import type { FakeProcess } from "./process.js";

/** The inputs of chaos from its simulation. */
export interface ChaosOptions {
  readonly dice: Dice;
  readonly clock: FakeClock;
  readonly ttl: number;
  /** How long chaos lasts, in ms. The shorter it is, the denser are the faults. */
  readonly length: number;
  note(text: string): void;
}

/** A process that chaos can harm. */
export interface Victim {
  readonly name: string;
  readonly process: FakeProcess;
  readonly ways: readonly FaultyBackend[];
  end(how: "dies" | "closes"): void;
}

/** Makes calls, processes and the store go wrong. */
export class Chaos {
  readonly #options: ChaosOptions;
  #over = false;

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  /** Ends chaos: from now on every call succeeds. */
  end(): void {
    this.#over = true;
  }

  /** The fault of a call of the process `name`; `undefined` if the call succeeds. */
  fault(name: string, call: Call): Fault | undefined {
    if (this.#over) return undefined;
    const fault = this.#pick(call);
    // Do not note slow calls: every third call is one.
    if (fault !== undefined && fault.type !== "slow") this.#options.note(`${name} ${textOf(call, fault)}`);
    return fault;
  }

  #pick(call: Call): Fault | undefined {
    const { dice, ttl } = this.#options;
    // Delay half of the answers to forced unlocks, which are rare: two bodies may run until the answer.
    if (isUnlock(call) && dice.chance() < 0.5) return { type: "slow reply", ms: dice.between(0, 2 * ttl) };
    const chance = dice.chance();
    if (chance < 0.02) return { type: "request lost" };
    if (chance < 0.04) return { type: "reply lost" };
    if (chance < 0.05) return { type: "refused" };
    if (chance < 0.06) return { type: "slow reply", ms: dice.between(0, 2 * ttl) };
    if (chance < 0.1 && call.kind === "commit") {
      return chance < 0.08
        ? { type: "late", ms: dice.between(0, 2 * ttl) }
        : { type: "doubled", ms: dice.between(0, chance < 0.095 ? 60 : 900) };
    }
    if (chance < 0.4) return { type: "slow", ms: dice.between(0, 40) };
    return chance < 0.42 ? { type: "slow", ms: dice.between(0, 900) } : undefined;
  }

  /** From time to time the process dies, closes, is suspended, is cut off, or gets another date. */
  harm(victim: Victim): void {
    const { dice, clock, length, note, ttl } = this.#options;
    const { name, process, ways, end } = victim;
    clock.after(dice.between(length / 40, length / 5), () => {
      if (this.#over || process.dead) return;
      const chance = dice.chance();
      if (chance < 0.3) {
        const how = chance < 0.2 ? "dies" : "closes";
        note(`${name} ${how}`);
        end(how);
        return;
      }
      const ms = dice.between(50, 2.5 * ttl);
      if (chance < 0.55) {
        note(`${name} stands still for ${Math.round(ms)}`);
        process.stop();
        clock.after(ms, () => process.goOn());
      } else if (chance < 0.8) {
        const type = dice.pick(["refused", "request lost", "reply lost", "full"] as const);
        note(`${name} ${type === "full" ? "finds the store full" : "is cut off"} for ${Math.round(ms)}`);
        // A full store answers reads.
        const strikes = (call: Call): boolean => !this.#over && (type !== "full" || isWrite(call));
        for (const way of ways) way.fault = (call) => (strikes(call) ? { type } : undefined);
        clock.after(ms, () => {
          for (const way of ways) way.fault = (call) => this.fault(name, call);
        });
      } else {
        process.ahead += dice.between(-600_000, 600_000);
      }
      this.harm(victim);
    });
  }

  /** From time to time the store is restarted. Calls `before` while it is away. */
  restarts(store: SharedStore, before: () => void): void {
    const { dice, clock, length, note, ttl } = this.#options;
    clock.after(dice.between(length / 8, length), () => {
      if (this.#over) return;
      const ms = dice.between(0, dice.chance() < 0.7 ? 300 : ttl);
      note(`the store is restarted, and away for ${Math.round(ms)}`);
      store.restart(ms);
      before();
      this.restarts(store, before);
    });
  }
}

function isUnlock(call: Call): boolean {
  if (call.kind !== "commit") return false;
  const { writes } = call.commit;
  return writes.some(({ key }) => isAudit(key)) && writes.some(({ key }) => isLock(key));
}

function isWrite(call: Call): boolean {
  return call.kind === "commit" && call.commit.writes.length > 0;
}

function textOf(call: Call, fault: Fault): string {
  const of = call.kind === "commit" ? ` of ${call.commit.writes.map(({ key }) => key.split("-")[1]).join(", ")}` : "";
  return `${call.kind}${of}: ${fault.type}${"ms" in fault ? ` (${Math.round(fault.ms)})` : ""}`;
}
