import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface PageProps {
  readonly title: string;
  /** What stands before the title, such as the state of a run. */
  readonly before?: ComponentChildren;
  readonly said?: ComponentChildren;
  readonly end?: ComponentChildren;
  readonly full?: boolean;
  readonly children: ComponentChildren;
}

let isFirst = true;

/** A page with its heading, which gets the focus, so that a screen reader says where the reader has come. */
export function Page({ title, before, said, end, full = false, children }: PageProps): VNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ojm`;
    // Not at the first page: the browser says that one by itself.
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, [title]);
  return (
    <div class={full ? "page full" : "page"}>
      <header class="head">
        {before}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {said !== undefined && <span class="said">{said}</span>}
        {end !== undefined && <div class="end">{end}</div>}
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
      <header>
        <h2>{title}</h2>
        {count !== undefined && <span class="count">{count}</span>}
        {end !== undefined && <div class="end">{end}</div>}
      </header>
      {children}
    </section>
  );
}
