import { signal } from "@preact/signals";

/** How far the clock of the server is ahead of ours, in ms. */
let ahead = 0;

/** The time of the server, updated each second: ages and countdowns use its clock, not the browser's. */
export const second = signal(Date.now());

/** The time of the server now, in ms since 1970. */
export const serverNow = (): number => Date.now() + ahead;

/** Corrects the estimate of the server's clock. */
export function setClock(server: number): void {
  const found = server - Date.now();
  // A difference below a second is the latency of the answer, and would make countdowns jump.
  if (Math.abs(found - ahead) > 1_000) ahead = found;
  second.value = serverNow();
}

setInterval(() => {
  if (!document.hidden) second.value = serverNow();
}, 1_000);
