import { effect, type Signal, signal } from "@preact/signals";

/** A setting that the browser stores. If the browser forbids that, it lasts as long as the tab. */
export function remembered<T extends string>(key: string, initial: T, values: readonly T[]): Signal<T> {
  return stored(
    key,
    initial,
    (text) => values.find((each) => each === text),
    (value) => value,
  );
}

/** A list that the browser stores. An item that is not valid is left out. */
export function rememberedList<T>(key: string, isValid: (item: unknown) => item is T): Signal<readonly T[]> {
  const read = (text: string): readonly T[] | undefined => {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter(isValid) : undefined;
  };
  const kept = stored<readonly T[]>(key, [], read, JSON.stringify);
  // Otherwise a tab that saves an item would remove those that another tab has saved since.
  addEventListener("storage", ({ key: changed, newValue }) => {
    if (changed === `ojm.${key}` && newValue !== null) kept.value = read(newValue) ?? [];
  });
  return kept;
}

function stored<T>(
  key: string,
  initial: T,
  read: (text: string) => T | undefined,
  write: (value: T) => string,
): Signal<T> {
  let first: T | undefined;
  try {
    const text = localStorage.getItem(`ojm.${key}`);
    first = text === null ? undefined : read(text);
  } catch {
    // Another program of this host may have stored something else, or the browser forbids it.
  }
  const kept = signal<T>(first ?? initial);
  effect(() => {
    try {
      localStorage.setItem(`ojm.${key}`, write(kept.value));
    } catch {
      // Storage may be forbidden or full: the setting then applies only to this tab.
    }
  });
  return kept;
}
