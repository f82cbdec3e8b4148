import { type Clock, systemClock } from "@ojm/core/backend";
import { backend } from "@ojm/simple";
import type { Harness } from "./harness.js";
import { ManualClock } from "./manual-clock.js";

/** `@ojm/simple`, which has a memory for each clock, on the time of the machine. */
export const simple: Harness = {
  name: "simple",
  async open() {
    const clock: Clock = { ...systemClock };
    return { clock, client: () => backend.open({}, { clock }), close: async () => {} };
  },
};

/** The same on a time that the suite moves. */
export const simpleInManualTime: Harness = {
  name: "simple in manual time",
  async open() {
    const clock = new ManualClock();
    return {
      clock,
      client: () => backend.open({}, { clock }),
      advance: (ms) => clock.advance(ms),
      close: async () => {},
    };
  },
};
