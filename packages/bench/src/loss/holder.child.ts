import { contestants, now } from "./contestants.js";

/** What a process tells, and when on the clock that all processes of the host share, in ms. */
export interface Told {
  readonly type: "waiting" | "enter" | "told" | "leave";
  readonly at: number;
  /** When the lease ended, or would have ended, for one that is told. */
  readonly leaseEnd?: number;
}

function tell(type: Told["type"], leaseEnd?: number): void {
  process.send?.({ type, at: now(), ...(leaseEnd !== undefined && { leaseEnd }) } satisfies Told);
}

/*
 * Holds the lock and stays inside until it is told to stop, or for so long. A message is a number of ms: the
 * event loop is blocked for as long. Arguments: the contestant, the address of the server, the longest stay
 * in ms.
 */
const [name = "", url = "", stay = "0"] = process.argv.slice(2);
process.on("message", (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end) {}
});
tell("waiting");
await contestants[name]
  ?.hold(url, async (told, leaseEnd) => {
    tell("enter");
    await new Promise<void>((resolve) => {
      const done = setTimeout(resolve, Number(stay));
      const onTold = (): void => {
        tell("told", leaseEnd?.());
        clearTimeout(done);
        resolve();
      };
      if (told.aborted) onTold();
      else told.addEventListener("abort", onTold, { once: true });
    });
    tell("leave");
  })
  .catch(() => {});
process.exit(0);
