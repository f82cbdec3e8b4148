import { useSignal } from "@preact/signals";
import type { ComponentChildren, VNode } from "preact";
import { useEffect } from "preact/hooks";
import { type Resource, type ResourceOptions, useResource } from "../../api/resource.js";
import { Failure, Skeleton } from "../pictures.js";

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
export function Paged<T>({ path, next, rows, around, empty, isEmpty, options }: PagedProps<T>): VNode {
  const first = path(undefined);
  const shown = useSignal<readonly string[]>([first]);
  useEffect(() => {
    shown.value = [first];
  }, [first]);
  const head = useResource<T>(first, options);
  const answer = head.data.value;
  if (answer === undefined)
    return head.error.value === undefined ? <Skeleton rows={10} /> : <Failure error={head.error.value} />;
  if (isEmpty(answer)) return empty;
  const more = (cursor: string): void => {
    shown.value = [...shown.value, path(cursor)];
  };
  const pages = shown.value[0] === first ? shown.value : [first];
  return around(
    pages.map((each, i) => (
      <Part
        key={each}
        path={each}
        rows={rows}
        {...(options && { options })}
        {...(i === pages.length - 1 && { more })}
        next={next}
      />
    )),
  );
}

interface PartProps<T> extends Pick<PagedProps<T>, "next" | "rows" | "options"> {
  readonly path: string;
  readonly more?: (cursor: string) => void;
}

function Part<T>({ path, rows, next, more, options }: PartProps<T>): VNode {
  const { data, error }: Resource<T> = useResource<T>(path, options);
  if (data.value === undefined) {
    return <Line>{error.value === undefined ? <Skeleton rows={3} /> : <Failure error={error.value} />}</Line>;
  }
  const cursor = next(data.value);
  return (
    <>
      {rows(data.value)}
      {cursor !== undefined && more !== undefined && (
        <Line>
          <button type="button" class="button" onClick={() => more(cursor)}>
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
