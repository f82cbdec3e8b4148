import { serialize } from "node:v8";

const known = new Set<string>();
/** What the other threads know of this thread's globals. */
const shared = new Map<string, Buffer>();

/** From here on, a new global is one that a script made. */
export function rememberGlobals(): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) known.add(name);
}

/**
 * The globals that scripts of this thread set since the last look. Only data can be shared between threads: a function
 * stays a global of this thread alone.
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

/** Takes over what scripts of other threads set. */
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
