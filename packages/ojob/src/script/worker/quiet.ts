import { Server, Socket } from "node:net";

let hidden = false;
let before: Map<string, number> | undefined;

/** Events of the process through which a script could hide what it left behind. */
const EVENTS = ["uncaughtException", "unhandledRejection", "exit", "beforeExit"] as const;
let listeners = 0;

/**
 * Remembers the state of a thread at rest. Only the first call counts, which comes with the first message:
 * while its entry is being loaded, a thread has listeners that vanish later.
 */
export function rememberRest(): void {
  if (before !== undefined) return;
  before = resources();
  listeners = countListeners();
  // An unref'd resource (a timer, an idle connection in a pool) is not in the list of resources, and may fire
  // all the same.
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
 * Whether the scripts of this thread left nothing behind that could fail later: no timer, no socket. Only
 * then may the thread serve another job, which a late error would end.
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
