import { type Backend, type BackendType, systemClock } from "@ojm/core/backend";
import type { Harness } from "./harness.js";
import { oneClient } from "./one-client.js";

/**
 * The harness of a backend that comes with none: opens the type with `args`, again for each client. No
 * faults, no other processes: it proves what can be proved without them.
 */
export function harnessOf(type: BackendType, args: Readonly<Record<string, unknown>> = {}): Harness {
  const open = (): Promise<Backend> => type.open(args, { clock: systemClock });
  return {
    name: type.type,
    async open() {
      const first = await open();
      // Core opens such a store once in a process, and so may rely on it.
      const once = first.supports.shared === "process";
      let unused: Backend | undefined = first;
      const next = async (): Promise<Backend> => {
        const backend = unused ?? (await open());
        unused = undefined;
        return backend;
      };
      return {
        client: once ? oneClient(next) : next,
        async close() {
          await unused?.close();
        },
      };
    },
  };
}
