import { useSignal } from "@preact/signals";
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Resource, type ResourceOptions, useResource } from "../../api/resource.js";
import { Table, type TableProps } from "../page.js";
import { Failure, Skeleton } from "../pictures.js";
import { notePages, pagesOf } from "../steady/scroll.js";

interface PagedProps<T, Item> {
  /** The path of the page after a cursor. */
  readonly path: (after: string | undefined) => string;
  /** The cursor of the next page, if there is one. */
  readonly next: (answer: T) => string | undefined;
  readonly items: (answer: T) => readonly Item[];
  readonly row: (item: Item) => VNode;
  readonly table: Omit<TableProps, "children">;
  /** What is shown if there are no items at all. */
  readonly empty: (answer: T) => VNode;
  readonly options?: ResourceOptions;
  /** What stands above the table: how many items the list has. */
  readonly said?: (answer: T) => string;
  /** The first page while the pointer is in the list: its rows stay. `news`: what it leaves out. */
  readonly hold?: (shown: T, latest: T) => { readonly answer: T; readonly news: string | undefined };
}

/** A list that is read page by page. Each page is kept up to date separately. */
export function Paged<T, Item>({ table, empty, hold, said, ...list }: PagedProps<T, Item>): VNode {
  const first = list.path(undefined);
  const head = useResource<T>(first, list.options);
  const isHeld = useSignal(false);
  const shown = useRef<{ readonly path: string; readonly answer: T }>(undefined);
  const released = useSignal(0);
  const latest = head.data.value;
  if (latest === undefined)
    return head.error.value === undefined ? <Skeleton rows={10} /> : <Failure error={head.error.value} />;
  const last = isHeld.value && released.value >= 0 && shown.current?.path === first ? shown.current : undefined;
  const held = last && hold?.(last.answer, latest);
  const answer = held?.answer ?? latest;
  shown.current = { path: first, answer };
  if (list.items(answer).length === 0 && list.next(answer) === undefined) return empty(answer);
  const release = (): void => {
    shown.current = undefined;
    released.value++;
  };
  return (
    <div class="held" onPointerEnter={() => (isHeld.value = true)} onPointerLeave={() => (isHeld.value = false)}>
      <span role="status">
        {held?.news !== undefined && (
          <button type="button" class="button news" onClick={release}>
            {held.news}
          </button>
        )}
      </span>
      {said !== undefined && <p class="dim">{said(answer)}</p>}
      <Table {...table}>
        <Pages key={first} {...list} first={first} head={{ data: { value: answer }, error: head.error }} />
      </Table>
    </div>
  );
}

interface Shown<T> {
  readonly data: { readonly value: T | undefined };
  readonly error: Resource<T>["error"];
}

type ListProps<T, Item> = Pick<PagedProps<T, Item>, "path" | "next" | "items" | "row" | "options">;

/** All pages that are shown. "Back" restores their number. */
function Pages<T, Item>({ first, head, ...list }: ListProps<T, Item> & { first: string; head: Shown<T> }): VNode {
  const count = useSignal(pagesOf(first));
  useEffect(() => {
    const back = (): void => {
      count.value = pagesOf(first);
    };
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, [first]);
  return <Part {...list} of={head} left={count.value - 1} more={() => notePages(first, ++count.value)} />;
}

interface PartProps<T, Item> extends ListProps<T, Item> {
  /** How many pages come after this one. */
  readonly left: number;
  readonly more: () => void;
}

/** A page, and the pages after it. */
function Part<T, Item>({ of, left, more, ...list }: PartProps<T, Item> & { readonly of: Shown<T> }): VNode {
  const last = useRef<T>(undefined);
  // While it is read from a new start, its rows stay.
  last.current = of.data.value ?? last.current;
  const answer = last.current;
  if (answer === undefined) {
    return <Line>{of.error.value === undefined ? <Skeleton rows={3} /> : <Failure error={of.error.value} />}</Line>;
  }
  const end = list.next(answer);
  return (
    <>
      <tbody>{list.items(answer).map(list.row)}</tbody>
      {of.data.value === undefined && of.error.value !== undefined && (
        <Line>
          <Failure error={of.error.value} />
        </Line>
      )}
      {end !== undefined && left > 0 && <Next {...list} after={end} left={left - 1} more={more} />}
      {end !== undefined && left === 0 && (
        <Line>
          <button type="button" class="button" onClick={more}>
            Show more
          </button>
        </Line>
      )}
    </>
  );
}

/**
 * A page starts where the page before it ends: rows that come at the top move all others down. With a fixed
 * start, the rows that no longer fit on the page before would be on no page.
 */
function Next<T, Item>({ after, ...rest }: PartProps<T, Item> & { readonly after: string }): VNode {
  const begin = useSignal(after);
  const resource = useResource<T>(rest.path(begin.value), rest.options);
  const isAnswered = resource.data.value !== undefined || resource.error.value !== undefined;
  // One start after the other: if rows came faster than answers, a page would never get one.
  useEffect(() => {
    if (isAnswered) begin.value = after;
  }, [isAnswered, after]);
  return <Part {...rest} of={resource} />;
}

const Line = ({ children }: { readonly children: ComponentChildren }): VNode => (
  <tbody>
    <tr class="line">
      <td colSpan={20}>{children}</td>
    </tr>
  </tbody>
);
