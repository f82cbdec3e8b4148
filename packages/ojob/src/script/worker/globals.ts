import { Server, Socket } from "node:net";
import { serialize } from "node:v8";
import type { DoneMessage } from "../protocol.js";

const known = new Set<string>();
/** The globals of this thread as the other threads know them. */
const shared = new Map<string, Buffer>();

/** Remembers the current globals: scripts define all later ones. */
export function rememberGlobals(): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) known.add(name);
}

/**
 * Finds the globals that scripts have set. Threads share only data: `unshared` are, or contain, functions.
 */
export function changedGlobals(): Pick<DoneMessage, "globals" | "unshared"> {
  const globals: Record<string, unknown> = {};
  const unshared: string[] = [];
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (known.has(name)) continue;
    const value = (globalThis as Record<string, unknown>)[name];
    const bytes = tryToSerialize(value);
    if (bytes === undefined) unshared.push(name);
    else if (!shared.get(name)?.equals(bytes)) {
      shared.set(name, bytes);
      globals[name] = value;
    }
  }
  return { globals, unshared };
}

export function applyGlobals(globals: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(globals)) {
    (globalThis as Record<string, unknown>)[name] = value;
    const bytes = tryToSerialize(value);
    if (bytes !== undefined) shared.set(name, bytes);
  }
}

function tryToSerialize(value: unknown): Buffer | undefined {
  try {
    return serialize(value);
  } catch {
    return undefined;
  }
}

let hidden = false;
let before: Map<string, number> | undefined;

/** Events of the process through which a script could hide what it left behind. */
const EVENTS = ["uncaughtException", "unhandledRejection", "exit", "beforeExit"] as const;
let listeners = 0;

/** Remembers a thread at rest, at the first message: while it loads, it has temporary listeners. */
export function rememberRest(): void {
  if (before !== undefined) return;
  before = resources();
  listeners = countListeners();
  // An unref'd resource (a timer, an idle connection in a pool) is not in the list of resources, but may
  // still fire.
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

/** Whether scripts left nothing behind that could fail later, and end another job: no timer, no socket. */
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
