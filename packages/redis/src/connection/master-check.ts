import type { Clock } from "@ojm/core/backend";
import { letProcessEnd, type NodeClient, type RedisClient, serverOf } from "./client.js";

/** The shortest time between two checks, in ms. */
const PAUSE = 500;

/** A single attempt without a listener: the next suspicion starts another check. */
const ONE_ATTEMPT = { lazyConnect: true, retryStrategy: null, sentinelRetryStrategy: null, reconnectOnError: null };

/**
 * Checks whether the Sentinels name another master than the one that a client is connected to. If so, it
 * makes the client reconnect.
 *
 * A master that was cut off learns only seconds after its return that it was replaced. A client that asked a
 * Sentinel which was cut off too is connected to that master. Without this check, the client would stay
 * there, and each of its writes would be refused.
 */
export class MasterCheck {
  readonly #client: RedisClient;
  readonly #clock: Clock;
  #lastLook: number = Number.NEGATIVE_INFINITY;
  #probe: NodeClient | undefined;
  #moves = 0;

  constructor(client: RedisClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** How often the client was made to leave its server. */
  get moves(): number {
    return this.#moves;
  }

  /** Call it if the server may no longer be the master. */
  suspect(): void {
    const now = this.#clock.monotonic();
    if (this.#probe !== undefined || now - this.#lastLook < PAUSE) return;
    this.#lastLook = now;
    void this.#look();
  }

  /** Ends a check that is under way. */
  close(): void {
    this.#probe?.disconnect();
  }

  async #look(): Promise<void> {
    const probe = (this.#client as NodeClient).duplicate(ONE_ATTEMPT);
    this.#probe = probe;
    letProcessEnd(probe);
    probe.on("error", () => {});
    try {
      await probe.connect();
      if (this.#client.status !== "ready" || serverOf(probe) === serverOf(this.#client)) return;
      this.#moves++;
      this.#client.disconnect(true);
    } catch {
      // No Sentinel names a master that answers.
    } finally {
      this.#probe = undefined;
      probe.disconnect();
    }
  }
}
