import { signal } from "@preact/signals";

/** How far the clock of the server is ahead of ours, in ms. */
let ahead = 0;

/** The time of the server, once a second: ages and countdowns are of its clock, not of the reader's. */
export const second = signal(Date.now());

/** The time of the server now, in ms since 1970. */
export const serverNow = (): number => Date.now() + ahead;

/** Sets our idea of the server's clock. */
export function setClock(server: number): void {
  const found = server - Date.now();
  // Less than a second is the way of the answer, and would make countdowns jump.
  if (Math.abs(found - ahead) > 1_000) ahead = found;
  second.value = serverNow();
}

setInterval(() => {
  if (!document.hidden) second.value = serverNow();
}, 1_000);
