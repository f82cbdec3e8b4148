let ahead = 0;

/**
 * Sets how far the clock of scripts is ahead of that of the machine, in ms. It is 0 except in simulations.
 */
export function setClock(ms: number): void {
  ahead = ms;
}

/** The time in ms since 1970. */
export function now(): number {
  return Date.now() + ahead;
}
