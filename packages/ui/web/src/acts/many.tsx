import { type Signal, signal, useSignal } from "@preact/signals";
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon, type IconName } from "../parts/icon.js";
import { toast } from "../parts/toasts.js";

/** The items of a list that the user has chosen, by name or id. */
export type Chosen<T> = Signal<ReadonlyMap<string, T>>;

/** A selection of a list, which is empty at first. */
export const selection = <T,>(): Chosen<T> => signal<ReadonlyMap<string, T>>(new Map());

interface ChooseProps<T> {
  readonly of: Chosen<T>;
  readonly id: string;
  readonly item: T;
  /** What the row is called. */
  readonly label: string;
}

/** The check box of a row. */
export const Choose = <T,>({ of, id, item, label }: ChooseProps<T>): VNode => (
  <input
    type="checkbox"
    class="choose"
    aria-label={`Select ${label}`}
    checked={of.value.has(id)}
    onChange={({ currentTarget }) => {
      const chosen = new Map(of.value);
      if (currentTarget.checked) chosen.set(id, item);
      else chosen.delete(id);
      of.value = chosen;
    }}
  />
);

/** An action on several items. */
export interface ManyAct<T> {
  readonly label: string;
  readonly icon: IconName;
  /** Opens its dialog, or returns why there is nothing to do. */
  take(items: readonly T[]): string | undefined;
}

interface ManyProps<T> {
  readonly of: Chosen<T>;
  readonly acts: readonly ManyAct<T>[];
  /** The filter of the list. Another one ends the selection. */
  readonly filter: string;
  /** Reads all items of the list, including those of pages that are not shown. */
  readonly all: () => Promise<readonly T[]>;
  readonly idOf: (item: T) => string;
  readonly children?: ComponentChildren;
}

/** The actions on the chosen items, or on all that the list is narrowed to. */
export function ManyActs<T>({ of, acts, filter, all, idOf, children }: ManyProps<T>): VNode {
  useEffect(() => {
    of.value = new Map();
  }, [filter]);
  const shown = useRef(filter);
  shown.current = filter;
  /** How many items the box has selected. */
  const whole = useSignal(0);
  const { size } = of.value;
  const select = async (isAll: boolean): Promise<void> => {
    const items = isAll ? await all() : [];
    if (shown.current !== filter) return;
    of.value = new Map(items.map((item) => [idOf(item), item]));
    whole.value = items.length;
  };
  const begin = async (act: ManyAct<T>): Promise<void> => {
    const nothing = act.take(size > 0 ? [...of.value.values()] : await all());
    if (nothing !== undefined) toast({ done: nothing });
  };
  // The place is taken from the start: with the first choice, the rows below must not move.
  const isIdle = size === 0 && (filter === "" || acts.length === 0);
  return (
    <div class={`chips many${isIdle ? " dim" : ""}`} role="toolbar" aria-label="Bulk actions">
      {acts.length > 0 && (
        <label class="check row">
          <input
            type="checkbox"
            checked={size > 0 && size === whole.value}
            indeterminate={size > 0 && size !== whole.value}
            onChange={({ currentTarget: { checked } }) => void select(checked).catch(() => select(false))}
          />
          {size === 0 ? "Select all" : `${size} selected:`}
        </label>
      )}
      {isIdle ? (
        <span>
          {acts.length > 0
            ? "or rows, or narrow the list, to act on several at once."
            : "Select two runs to compare them."}
        </span>
      ) : (
        <>
          {size === 0 ? <span>All in this list:</span> : acts.length === 0 && <span>{size} selected:</span>}
          {acts.map((act) => (
            <button key={act.label} type="button" class="button" onClick={() => void begin(act).catch(() => {})}>
              <Icon name={act.icon} />
              {act.label}
            </button>
          ))}
          {children}
          {size > 0 && (
            <button type="button" class="button" onClick={() => (of.value = new Map())}>
              Clear selection
            </button>
          )}
        </>
      )}
    </div>
  );
}

/** Reads a list page by page, to its end or to `most` items. */
export async function readAll<T>(
  page: (after: string | undefined) => Promise<{ readonly items: readonly T[]; readonly next: string | undefined }>,
  most: number,
): Promise<T[]> {
  const all: T[] = [];
  for (let after: string | undefined; ; ) {
    const { items, next } = await page(after);
    all.push(...items);
    if (next === undefined || all.length >= most) return all.slice(0, most);
    after = next;
  }
}
