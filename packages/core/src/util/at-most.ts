import type { Clock } from "./clock.js";

/** Resolves once `work` does, or after `ms`. Keeps the process alive meanwhile. `work` must not reject. */
export async function atMost(clock: Clock, ms: number, work: Promise<unknown> | undefined): Promise<void> {
  let cancel = (): void => {};
  const moment = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve, true);
  });
  await Promise.race([moment, work]);
  cancel();
}
