let ahead = 0;

/** Sets how far scripts see the time ahead of that of the machine, in ms: not 0 in simulations. */
export function setClock(ms: number): void {
  ahead = ms;
}

/** The time in ms since 1970. */
export function now(): number {
  return Date.now() + ahead;
}
