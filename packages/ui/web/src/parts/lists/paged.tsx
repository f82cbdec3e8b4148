import { useSignal } from "@preact/signals";
import type { ComponentChildren, VNode } from "preact";
import { useRef } from "preact/hooks";
import { type Resource, type ResourceOptions, useResource } from "../../api/resource.js";
import { Failure, Skeleton } from "../pictures.js";
import { notePages, pagesOf } from "../steady/scroll.js";

interface PagedProps<T> {
  /** The path of the page after a cursor. */
  readonly path: (after: string | undefined) => string;
  /** The cursor of the page after this one, if there is one. */
  readonly next: (answer: T) => string | undefined;
  /** The rows of a page: a `tbody`. */
  readonly rows: (answer: T) => VNode;
  /** What stands around the pages: the table and its head. */
  readonly around: (pages: ComponentChildren) => VNode;
  /** What is shown if there are no rows at all. */
  readonly empty: VNode;
  readonly isEmpty: (answer: T) => boolean;
  readonly options?: ResourceOptions;
}

/** A list that is read page by page. Each page is kept up to date by itself. */
export function Paged<T>({ around, empty, isEmpty, ...list }: PagedProps<T>): VNode {
  const first = list.path(undefined);
  const head = useResource<T>(first, list.options);
  const answer = head.data.value;
  if (answer === undefined)
    return head.error.value === undefined ? <Skeleton rows={10} /> : <Failure error={head.error.value} />;
  return isEmpty(answer) ? empty : around(<Pages key={first} {...list} />);
}

type ListProps<T> = Pick<PagedProps<T>, "path" | "next" | "rows" | "options">;

/** All pages that are shown. "Back" shows as many again. */
function Pages<T>(list: ListProps<T>): VNode {
  const first = list.path(undefined);
  const count = useSignal(pagesOf(first));
  const more = (): void => {
    notePages(first, ++count.value);
  };
  return <Part {...list} after={undefined} left={count.value - 1} more={more} />;
}

interface PartProps<T> extends ListProps<T> {
  readonly after: string | undefined;
  /** How many pages come after this one. */
  readonly left: number;
  readonly more: () => void;
}

/**
 * A page, and those after it. Each begins where the one before it ends: as rows come at the top, all move
 * down. With a begin of its own, the rows that the page before it has no room for would be in none.
 */
function Part<T>({ after, left, more, ...list }: PartProps<T>): VNode {
  const { path, rows, next, options } = list;
  const { data, error }: Resource<T> = useResource<T>(path(after), options);
  const last = useRef<T>(undefined);
  // Until the page is read from its new begin, its rows stay.
  last.current = data.value ?? last.current;
  const answer = last.current;
  if (answer === undefined) {
    return <Line>{error.value === undefined ? <Skeleton rows={3} /> : <Failure error={error.value} />}</Line>;
  }
  const end = next(answer);
  return (
    <>
      {rows(answer)}
      {end !== undefined && left > 0 && <Part {...list} after={end} left={left - 1} more={more} />}
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

const Line = ({ children }: { readonly children: ComponentChildren }): VNode => (
  <tbody>
    <tr class="line">
      <td colSpan={20}>{children}</td>
    </tr>
  </tbody>
);
