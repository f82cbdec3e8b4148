import type { ChannelOps, JsonValue, Run } from "@ojm/core";
import { reasonText } from "@ojm/core/internal";
import { checkDuration } from "../options.js";
import type { Item } from "../types.js";
import type { ItemClaim } from "./claim.js";

/** An item that a handler has. */
export class HeldItem implements Item {
  readonly run: Run;
  readonly queue: string;
  readonly #claim: ItemClaim;
  /** Whether the handler has ended its attempt itself. */
  isEnded = false;

  constructor(queue: string, run: Run, claim: ItemClaim) {
    this.queue = queue;
    this.run = run;
    this.#claim = claim;
  }

  get id(): string {
    return this.#claim.waiting.id;
  }

  get data(): unknown {
    return this.#claim.waiting.item.data;
  }

  get attempt(): number {
    return this.#claim.waiting.item.attempt;
  }

  get attempts(): number {
    return this.#claim.waiting.item.attempts ?? this.#claim.definition.options.attempts;
  }

  get timeout(): number {
    return this.#claim.definition.options.timeout;
  }

  get priority(): number {
    return 0 - this.#claim.waiting.rank;
  }

  get added(): number {
    return this.#claim.waiting.item.added;
  }

  get group(): string | undefined {
    return this.#claim.waiting.item.group;
  }

  get meta(): { readonly [key: string]: JsonValue } | undefined {
    return this.#claim.waiting.item.meta;
  }

  get signal(): AbortSignal {
    return this.run.signal;
  }

  get fence(): string {
    return this.run.fence;
  }

  async complete(
    result?: unknown,
    more: readonly ChannelOps<unknown>[] | { readonly transaction: unknown } = [],
  ): Promise<void> {
    if ("transaction" in more) {
      // The run ends with COMMIT. After a rollback, the handler still has the item.
      await this.run.end(result, { transaction: more.transaction });
      return;
    }
    this.#claim.completeWith(more);
    await this.run.end(result);
    this.isEnded = true;
  }

  async fail(error: unknown, { retry }: { readonly retry?: false | number | string } = {}): Promise<void> {
    const wait = retry === undefined || retry === false ? retry : checkDuration(this.queue, "retry of an item", retry);
    const text = reasonText(error);
    this.#claim.decide("failed", { type: "failed", error: text, ...(wait !== undefined && { retry: wait }) });
    await this.run.fail(error);
    this.isEnded = true;
  }

  async giveBack(reason: string, { delay = 0 }: { readonly delay?: number | string } = {}): Promise<void> {
    const wait = checkDuration(this.queue, "delay of an item", delay);
    this.#claim.decide("skipped", { type: "given back", delay: wait });
    await this.run.skip(reason);
    this.isEnded = true;
  }
}
