/**
 * The deadline of the calls to a server, in ms. Longer than a stalling machine takes for a call. The cases of
 * faults wait for it.
 */
export const DEADLINE = 4_000;
