import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface PageProps {
  readonly title: string;
  /** The element before the title, such as the state of a run. */
  readonly before?: ComponentChildren;
  readonly said?: ComponentChildren;
  readonly end?: ComponentChildren;
  readonly full?: boolean;
  readonly children: ComponentChildren;
}

let isFirst = true;

/** A page with its heading. The heading gets the focus, so that a screen reader announces the page. */
export function Page({ title, before, said, end, full = false, children }: PageProps): VNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ojm`;
    // Not on the first page: the browser announces that one itself.
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, [title]);
  return (
    <div class={full ? "page full" : "page"}>
      <header class="head row">
        {before}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {said !== undefined && <span class="dim">{said}</span>}
        {end !== undefined && <div class="end row">{end}</div>}
      </header>
      {children}
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly count?: number | string | undefined;
  readonly end?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A part of a page with a heading. */
export function Section({ title, count, end, children }: SectionProps): VNode {
  return (
    <section class="section" aria-label={title}>
      <header class="row">
        <h2>{title}</h2>
        {count !== undefined && <span class="count">{count}</span>}
        {end !== undefined && <div class="end row">{end}</div>}
      </header>
      {children}
    </section>
  );
}

/** A table: its class, its headings and its body. */
export interface TableProps {
  readonly class: string;
  /** The headings of the columns: texts, or cells. */
  readonly heads: readonly (string | VNode)[];
  /** Whether a last column has actions. */
  readonly acts?: boolean;
  readonly children: ComponentChildren;
}

/** The heading of a column of numbers. */
export const numeric = (head: string, title?: string): VNode => (
  <th scope="col" class="num" title={title}>
    {head}
  </th>
);

/** A table with its headings. */
export const Table = ({ class: name, heads, acts = false, children }: TableProps): VNode => (
  <table class={name}>
    <thead>
      <tr>
        {heads.map((head) => (typeof head === "string" ? <th scope="col">{head}</th> : head))}
        {acts && (
          <th scope="col">
            <span class="hidden-text">Actions</span>
          </th>
        )}
      </tr>
    </thead>
    {children}
  </table>
);
