import type { Backend } from "@ojm/core/backend";
import { Random } from "../../case/random.js";
import type { Harness } from "../../harness/harness.js";
import { ManualClock } from "../../harness/manual-clock.js";
import { Client } from "./client.js";
import { Network, PATIENCE } from "./network.js";
import { Server } from "./server.js";
import { Transaction } from "./transaction.js";

/** The parts of a simulated store. */
export interface Parts {
  readonly server?: typeof Server;
  readonly client?: new (server: Server, network: Network) => Backend;
}

/**
 * A store in this process, made of the right parts or of wrong ones. Its harness offers everything but other
 * processes.
 */
export function simulated(name: string, { server = Server, client = Client }: Parts = {}): Harness {
  let stores = 0;
  return {
    name,
    deadline: PATIENCE,
    async open() {
      const clock = new ManualClock();
      const store = new server(clock);
      const network = new Network(new Random(++stores), () => store.restart());
      const direct = new Network(new Random(-stores), () => {});
      return {
        clock,
        faults: network,
        client: async () => new client(store, network),
        direct: async () => new client(store, direct),
        advance: (ms) => clock.advance(ms),
        roundTrips: () => network.roundTrips,
        transaction: async () => new Transaction(store),
        close: async () => {},
      };
    },
  };
}
