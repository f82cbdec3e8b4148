import { type Signal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";

/** A row of a list, and whether it stays only because the pointer is in the list. */
export interface Placed<T> {
  readonly item: T;
  readonly gone: boolean;
}

const set = (signal: Signal<boolean>, value: boolean) => (): void => {
  signal.value = value;
};

/** The props for the element around the rows. */
interface Around {
  readonly onPointerEnter: () => void;
  readonly onPointerLeave: () => void;
  readonly onFocusIn: () => void;
  readonly onFocusOut: () => void;
}

/** Whether the pointer or the focus is in an element. */
export function useHeld(): { readonly isHeld: boolean; readonly around: Around } {
  const pointed = useSignal(false);
  const focused = useSignal(false);
  return {
    isHeld: pointed.value || focused.value,
    around: {
      onPointerEnter: set(pointed, true),
      onPointerLeave: set(pointed, false),
      onFocusIn: set(focused, true),
      onFocusOut: set(focused, false),
    },
  };
}

/**
 * Rows that do not move under the pointer. While the pointer or the focus is in the list, a removed row
 * stays, and a new one comes last. Each name has one item, so the list cannot grow without limit meanwhile.
 */
export function useInPlace<T extends { readonly name: string }>(
  items: readonly T[],
): { readonly rows: readonly Placed<T>[]; readonly around: Around } {
  const { isHeld, around } = useHeld();
  const shown = useRef<readonly T[]>([]);
  const now = new Map(items.map((item) => [item.name, item]));
  const old = isHeld ? shown.current : [];
  const known = new Set(old.map(({ name }) => name));
  shown.current = [...old.map((item) => now.get(item.name) ?? item), ...items.filter(({ name }) => !known.has(name))];
  return {
    rows: shown.current.map((item) => ({ item, gone: !now.has(item.name) })),
    around,
  };
}
