import { getEventListeners } from "node:events";

/**
 * How much hangs on a signal: listeners, and what AbortSignal.any() made of it, which stays there for as long
 * as the signal lives, whoever has forgotten it.
 *
 * @see https://github.com/nodejs/node/issues/55351
 */
export function keptBy(signal: AbortSignal): number {
  const symbols = Object.getOwnPropertySymbols(signal).filter(({ description }) => description === "kDependantSignals");
  const dependants = symbols.map((symbol) => (signal as unknown as Record<symbol, Set<unknown>>)[symbol]?.size ?? 0);
  return dependants.reduce((sum, size) => sum + size, getEventListeners(signal, "abort").length);
}
