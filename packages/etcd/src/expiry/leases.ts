import { randomInt } from "node:crypto";
import { ChannelError } from "@ojm/core/backend";
import type { Nodes } from "../calls/nodes.js";

/** etcd refuses longer ones: about 285 years. */
const MAX_LEASE_SECONDS = 9_000_000_000;

/**
 * For how long after its grant a lease takes entries, in ms: the three heartbeats of a ttl of 5 s. A grant
 * costs the store as much as a write does. An entry that nobody has seen stays that much longer after its
 * end.
 */
const WINDOW = 3_500;

/**
 * An id of our own choice. Those that etcd chooses have 63 bits, and where protobuf does not find the package
 * `long`, they come here as rounded numbers, which no lease has.
 */
const newId = (): number => randomInt(1, 2 ** 48 - 1);

interface Grant {
  readonly id: Promise<string>;
  /** When it was asked for, in monotonic ms. The node counts from later. */
  readonly asked: number;
}

/**
 * A lease for a write, and until when the write must be through (monotonic ms) so that the lease surely
 * outlives its entry.
 */
export interface Lease {
  readonly id: string;
  readonly appliedBy: number;
}

/**
 * The leases that entries with a ttl hang on, so that they go away although nobody is left to delete them.
 *
 * A lease is shared by all entries of about the same ttl that are written within a few seconds, and is then
 * left alone: it is neither renewed nor revoked, and ends by itself together with its entries. A write with a
 * ttl so costs one round trip, or two when it is the first of its window. Renewing a lease instead would cost
 * less, but a leader that is cut off confirms renewals that its successor never hears of. A lease for each
 * entry would cost two for each, and etcd's leases do not scale to many.
 *
 * A lease is granted for longer than the ttl: by the window, and by the longest that a write may be under
 * way. No entry can end before its time. That it may stay beyond is what `Deadlines` is for.
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

  /** A lease for an entry with this ttl (ms) that is sent right now. */
  async take(ttl: number): Promise<Lease> {
    const seconds = Math.ceil((ttl + this.#slack) / 1000);
    if (seconds > MAX_LEASE_SECONDS) {
      throw new ChannelError("INVALID_ARGUMENT", `a ttl of ${ttl} ms is more than etcd can keep: leave it away`);
    }
    const grant = this.#open(seconds) ?? this.#grant(seconds);
    try {
      return { id: await grant.id, appliedBy: grant.asked + seconds * 1000 - ttl };
    } catch (error) {
      if (this.#grants.get(seconds) === grant) this.#grants.delete(seconds);
      throw error;
    }
  }

  /** Forgets all leases: one of them turned out to be gone, revoked by hand or with the data of its store. */
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
