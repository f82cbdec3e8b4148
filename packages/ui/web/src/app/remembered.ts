import { effect, type Signal, signal } from "@preact/signals";

/** A setting that the browser stores. If the browser forbids that, it lasts as long as the tab. */
export function remembered<T extends string>(key: string, initial: T, values: readonly T[]): Signal<T> {
  const kept = signal<T>(stored(key, values) ?? initial);
  effect(() => {
    try {
      localStorage.setItem(`ojm.${key}`, kept.value);
    } catch {
      // Storage may be forbidden or full: the setting then applies only to this tab.
    }
  });
  return kept;
}

function stored<T extends string>(key: string, values: readonly T[]): T | undefined {
  try {
    const value = localStorage.getItem(`ojm.${key}`);
    return values.find((each) => each === value);
  } catch {
    return undefined;
  }
}
