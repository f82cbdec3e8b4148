import { getEventListeners } from "node:events";

/**
 * The number of listeners and dependent signals that a signal keeps. A signal that AbortSignal.any() made of
 * it stays there for as long as the source lives, even without any reference to it.
 *
 * @see https://github.com/nodejs/node/issues/55351
 */
export function keptBy(signal: AbortSignal): number {
  const symbols = Object.getOwnPropertySymbols(signal).filter(({ description }) => description === "kDependantSignals");
  const dependants = symbols.map((symbol) => (signal as unknown as Record<symbol, Set<unknown>>)[symbol]?.size ?? 0);
  return dependants.reduce((sum, size) => sum + size, getEventListeners(signal, "abort").length);
}
