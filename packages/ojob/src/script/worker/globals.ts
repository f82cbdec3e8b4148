import { serialize } from "node:v8";

const known = new Set<string>();
/** The globals of this thread as the other threads know them. */
const shared = new Map<string, Buffer>();

/** Remembers the globals of now: scripts make all later ones. */
export function rememberGlobals(): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) known.add(name);
}

/**
 * The globals that scripts of this thread have set since the last call. Threads can share only data: a
 * function stays a global of this thread.
 */
export function changedGlobals(): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (known.has(name)) continue;
    const value = (globalThis as Record<string, unknown>)[name];
    const bytes = tryToSerialize(value);
    if (bytes === undefined || shared.get(name)?.equals(bytes)) continue;
    shared.set(name, bytes);
    changed[name] = value;
  }
  return changed;
}

/** Takes over what scripts of other threads have set. */
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
