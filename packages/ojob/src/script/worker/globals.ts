import { serialize } from "node:v8";

const known = new Set<string>();
/** The globals of this thread as the other threads know them. */
const shared = new Map<string, Buffer>();

/** Remembers the globals of now: scripts make all later ones. */
export function rememberGlobals(): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) known.add(name);
}

/** What scripts of this thread have done to its globals. */
export interface GlobalChanges {
  /** Those that were set since the last look. */
  readonly globals: Record<string, unknown>;
  /**
   * Those that no other thread can see: functions, and what holds one. The next script of this thread would
   * see them, by chance.
   */
  readonly unshared: readonly string[];
}

/** Looks which globals scripts have set. Threads can share only data. */
export function changedGlobals(): GlobalChanges {
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
