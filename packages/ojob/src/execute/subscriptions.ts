import { type Channel, compareVersions, type WatchEvent } from "@ojm/core";
import type { Args } from "../load/jobfile.js";
import type { PlannedJob } from "../plan/plan.js";
import type { Engine } from "./engine.js";

type Change = Exclude<WatchEvent<unknown>, { readonly type: "synced" | "gap" }>;

/** Asks for a run of the jobs of type `subscribe` for each change of their channel. */
export class Subscriptions {
  readonly #engine: Engine;
  readonly #ending = new AbortController();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * From now on, the job runs for each change, one after the other. Changes wait in the watch, which holds so many and no more.
   *
   * @throws JobError if nobody created the channel; ChannelError if it cannot be watched
   */
  async begin(job: PlannedJob, given: readonly Args[]): Promise<void> {
    const name = job.typeArgs.chSubscribe ?? "";
    const channel = await this.#engine.shared.channels.channel(name);
    const { settings, dispatch } = this.#engine;
    const stays = settings.daemon !== false;
    const leave = stays ? dispatch.expectMore() : () => {};
    await new Promise<void>((resolve, reject) => {
      this.#follow(job, given, channel, stays, resolve)
        .catch((error: unknown) => {
          this.#engine.sourceFailed(job.name, error);
          reject(error);
        })
        .finally(leave);
    });
  }

  /** No change is told any more. */
  stop(): void {
    this.#ending.abort();
  }

  /** Calls `onReady` once no change that is made from then on is missed. */
  async #follow(
    job: PlannedJob,
    given: readonly Args[],
    channel: Channel,
    keepAlive: boolean,
    onReady: () => void,
  ): Promise<void> {
    const { signal } = this.#ending;
    let newest: string | undefined;
    // In a snapshot, what is newer than this has changed: nothing in the first one, and after a gap what came in the meantime.
    let before: string | undefined;
    let snapshot = true;
    for await (const event of channel.watch({ signal, keepAlive })) {
      if (event.type === "synced") {
        snapshot = false;
        onReady();
      } else if (event.type === "gap") {
        snapshot = true;
        before = newest;
        this.#engine.log.line(
          "WARN",
          `"${job.name}" misses changes of "${channel.name}": more came than it could follow`,
        );
      } else {
        const version = event.type === "put" ? event.entry.version : event.version;
        if (newest === undefined || compareVersions(version, newest) > 0) newest = version;
        const isChange = !snapshot || (before !== undefined && compareVersions(version, before) > 0);
        if (isChange) await this.#run(job, given, channel.name, event);
      }
      if (signal.aborted) break;
    }
    onReady();
  }

  async #run(job: PlannedJob, given: readonly Args[], ch: string, event: Change): Promise<void> {
    const change =
      event.type === "put"
        ? { ch, op: "set", k: event.entry.key, v: event.entry.value }
        : { ch, op: "unset", k: event.key };
    const all = given.map((args) => ({ ...args, ...change }));
    const [request] = this.#engine.dispatch.submit({ job, given: all, trigger: "subscribe" });
    await request?.finished;
  }
}
