import { now } from "./contestant.js";
import { contestants } from "./contestants.js";

/** A message of a process, and when it was sent, by the clock that all processes of the host share, in ms. */
export interface HolderReport {
  readonly type: "waiting" | "enter" | "signalled" | "leave";
  readonly at: number;
  /** With the type `signalled`: when the lease ended, or would have ended. */
  readonly leaseEnd?: number;
}

function tell(type: HolderReport["type"], leaseEnd?: number): void {
  process.send?.({ type, at: now(), ...(leaseEnd !== undefined && { leaseEnd }) } satisfies HolderReport);
}

/*
 * Holds the lock until its signal fires, for at most `stay` ms. A message is a number of ms, for which it
 * blocks the event loop. Arguments: the contestant, the address of the server, the longest stay in ms.
 */
const [name = "", url = "", stay = "0"] = process.argv.slice(2);
process.on("message", (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end) {}
});
tell("waiting");
await contestants[name]
  ?.hold(url, async (signal, leaseEnd) => {
    tell("enter");
    await new Promise<void>((resolve) => {
      const done = setTimeout(resolve, Number(stay));
      const onSignal = (): void => {
        tell("signalled", leaseEnd?.());
        clearTimeout(done);
        resolve();
      };
      if (signal.aborted) onSignal();
      else signal.addEventListener("abort", onSignal, { once: true });
    });
    tell("leave");
  })
  .catch(() => {});
process.exit(0);
