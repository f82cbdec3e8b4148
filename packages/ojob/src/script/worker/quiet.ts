import { Server, Socket } from "node:net";

let hidden = false;
let before: Map<string, number> | undefined;

/** The events of the process by which a script could hide what it left behind. */
const EVENTS = ["uncaughtException", "unhandledRejection", "exit", "beforeExit"] as const;
let listeners = 0;

/**
 * Remembers what a thread at rest looks like. Called with each message, of which the first counts: while its entry is being
 * loaded, a thread has listeners that are gone later.
 */
export function rememberRest(): void {
  if (before !== undefined) return;
  before = resources();
  listeners = countListeners();
  // What is unref'd (a timer, a connection at rest in a pool) is not listed among the resources, and may go off all the same.
  const timer = setTimeout(() => {}, 0);
  clearTimeout(timer);
  for (const prototype of [Object.getPrototypeOf(timer), Socket.prototype, Server.prototype]) markUnref(prototype);
}

function markUnref(prototype: { unref(): unknown }): void {
  const unref = prototype.unref;
  prototype.unref = function (this: unknown) {
    hidden = true;
    return Reflect.apply(unref, this, []);
  };
}

/**
 * Whether the scripts that ran here left nothing behind: no timer, no socket, nothing that could fail later. Only then may
 * the thread serve another job; an error out of the blue would end that one.
 */
export function isQuiet(): boolean {
  if (hidden || countListeners() !== listeners) return false;
  for (const [kind, count] of resources()) if (count > (before?.get(kind) ?? 0)) return false;
  return true;
}

function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

function countListeners(): number {
  return EVENTS.reduce((sum, event) => sum + process.listenerCount(event), 0);
}
