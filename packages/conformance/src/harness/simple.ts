import { type Clock, systemClock } from "@ojm/core/backend";
import { backend } from "@ojm/simple";
import type { Harness } from "./harness.js";
import { ManualClock } from "./manual-clock.js";

/**
 * `@ojm/simple` in real time. It has one memory for each clock object, so each store gets a clock object of
 * its own.
 */
export const simple: Harness = {
  name: "simple",
  async open() {
    const clock: Clock = { ...systemClock };
    return { clock, client: () => backend.open({}, { clock }), close: async () => {} };
  },
};

/** The same with a clock that the suite moves. */
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
