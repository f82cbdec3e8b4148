import { randomInt } from "node:crypto";
import { ChannelError } from "@ojm/core/backend";
import type { Nodes } from "../calls/nodes.js";

/** The longest lease that etcd accepts, in s: about 285 years. */
const MAX_LEASE_SECONDS = 9_000_000_000;

/**
 * How long after its grant a lease accepts entries, in ms: the three heartbeats of a ttl of 5 s. A grant
 * costs the store as much as a write. An entry that no process has seen stays in the store that much longer
 * after its end.
 */
const WINDOW = 3_500;

/** Our own id: without the package `long`, protobuf rounds etcd's ids of 63 bits, which then match none. */
const newId = (): number => randomInt(1, 2 ** 48 - 1);

interface Grant {
  readonly id: Promise<string>;
  /** When the grant was requested, in monotonic ms. The node begins to count later. */
  readonly asked: number;
}

/** A lease for a write, which it outlives if that is applied by `appliedBy` (monotonic ms). */
export interface Lease {
  readonly id: string;
  readonly appliedBy: number;
}

/**
 * The leases of entries with a ttl. A lease removes its entries even if no process is left to delete them.
 *
 * All entries of about the same ttl that are written within a few seconds share one lease. It is then left
 * alone: it is neither renewed nor revoked, and ends by itself together with its entries. So a write with a
 * ttl costs one round trip, or two if it is the first of its window.
 *
 * Renewing a lease would cost less, but a leader that is cut off confirms renewals that its successor never
 * learns of. A lease for each entry would cost two round trips for each, and etcd does not scale to many
 * leases.
 *
 * A lease is granted for longer than the ttl: by the window, and by the longest time that a write may take.
 * So no lease removes an entry too early. `Deadlines` handles entries that their lease keeps too long.
 *
 * @see https://github.com/etcd-io/etcd/issues/15247 a leader that is stuck confirms renewals
 */
export class Leases {
  readonly #nodes: Nodes;
  readonly #slack: number;
  readonly #grants: Map<number, Grant> = new Map();

  /** @param deadline the longest time that a write may take, in ms */
  constructor(nodes: Nodes, deadline: number) {
    this.#nodes = nodes;
    this.#slack = WINDOW + deadline;
  }

  /**
   * Resolves to a lease for an entry with this ttl (ms) that is sent right now.
   *
   * @throws ChannelError `INVALID_ARGUMENT` if the ttl is longer than etcd can keep
   */
  async take(ttl: number): Promise<Lease> {
    const seconds = Math.ceil((ttl + this.#slack) / 1000);
    if (seconds > MAX_LEASE_SECONDS) {
      throw new ChannelError("INVALID_ARGUMENT", `a ttl of ${ttl} ms is longer than etcd supports: omit it`);
    }
    const grant = this.#open(seconds) ?? this.#grant(seconds);
    try {
      return { id: await grant.id, appliedBy: grant.asked + seconds * 1000 - ttl };
    } catch (error) {
      if (this.#grants.get(seconds) === grant) this.#grants.delete(seconds);
      throw error;
    }
  }

  /** Forgets all leases. Call it when one is gone: revoked by hand, or lost with the data of the store. */
  clear(): void {
    this.#grants.clear();
  }

  #open(seconds: number): Grant | undefined {
    const grant = this.#grants.get(seconds);
    return grant !== undefined && performance.now() < grant.asked + WINDOW ? grant : undefined;
  }

  #grant(seconds: number): Grant {
    const asked = performance.now();
    for (const [key, old] of this.#grants) if (asked >= old.asked + WINDOW) this.#grants.delete(key);
    const answer = this.#nodes.call("read", (node, limits) => node.leaseGrant({ TTL: seconds, ID: newId() }, limits));
    const grant = { id: answer.then(({ ID }) => String(ID)), asked };
    this.#grants.set(seconds, grant);
    return grant;
  }
}
