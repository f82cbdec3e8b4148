import { expect, it } from "vitest";
import { LagWatch, type Stretch } from "./lag-watch.js";
import { hostTime } from "./time.js";

/** Blocks this process for 100 ms, in the phase of the event loop that runs timers. */
function suspend(): void {
  const from = hostTime();
  while (hostTime() < from + 100);
}

it("a lag lasts until the timers that fell due in it have run", async () => {
  for (let round = 0; round < 10; round++) {
    const due = new Promise<number>((resolve) => setTimeout(() => resolve(hostTime()), 60));
    const lag = new Promise<Stretch>((resolve) => {
      setTimeout(suspend, 5);
      const watch = new LagWatch((lag) => {
        if (lag.to - lag.from < 90) return;
        watch.stop();
        resolve(lag);
      });
    });
    expect((await lag).to).toBeGreaterThanOrEqual(await due);
  }
});
