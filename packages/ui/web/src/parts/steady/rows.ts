import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";

/** A row of a list, and whether it stays only because the pointer is in the list. */
export interface Placed<T> {
  readonly item: T;
  readonly gone: boolean;
}

/** The props for the element around the rows. */
type Around = Readonly<Record<"onPointerEnter" | "onPointerLeave" | "onFocusIn" | "onFocusOut", () => void>>;

/**
 * Rows that do not move under the pointer. While the pointer or the focus is in the list, a removed row
 * stays, and a new one comes last. Each name has one item, so the list cannot grow without limit meanwhile.
 */
export function useInPlace<T extends { readonly name: string }>(
  items: readonly T[],
): { readonly rows: readonly Placed<T>[]; readonly around: Around } {
  const pointed = useSignal(false);
  const focused = useSignal(false);
  const shown = useRef<readonly T[]>([]);
  const now = new Map(items.map((item) => [item.name, item]));
  const old = pointed.value || focused.value ? shown.current : [];
  const known = new Set(old.map(({ name }) => name));
  shown.current = [...old.map((item) => now.get(item.name) ?? item), ...items.filter(({ name }) => !known.has(name))];
  return {
    rows: shown.current.map((item) => ({ item, gone: !now.has(item.name) })),
    around: {
      onPointerEnter: () => (pointed.value = true),
      onPointerLeave: () => (pointed.value = false),
      onFocusIn: () => (focused.value = true),
      onFocusOut: () => (focused.value = false),
    },
  };
}
