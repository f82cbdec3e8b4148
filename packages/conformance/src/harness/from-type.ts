import { type Backend, type BackendType, systemClock } from "@ojm/core/backend";
import type { Harness } from "./harness.js";
import { oneClient } from "./one-client.js";

/**
 * Makes a harness for a backend that has none of its own. It opens the type with `args`, again for each
 * client. If the store belongs to one process, the clients share one backend. It offers neither faults nor
 * other processes, so the suite skips the cases that need them.
 */
export function harnessOf(type: BackendType, args: Readonly<Record<string, unknown>> = {}): Harness {
  const open = (): Promise<Backend> => type.open(args, { clock: systemClock });
  return {
    name: type.type,
    async open() {
      const first = await open();
      // Core opens such a store only once in a process, and the backend may rely on that.
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
