import { useComputed, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { remembered } from "../../../app/remembered.js";
import { place } from "../../../app/router.js";
import { zoneFor } from "../../../format/zone.js";
import { plain } from "./ansi.js";
import { columnsOf, Heights, LINE_HEIGHT } from "./heights.js";
import { isLine, type LogModel, type Row } from "./log-model.js";
import { LogRow } from "./log-row.js";
import { LogTools } from "./log-tools.js";
import { FirstError, Search } from "./search.js";

/** How many px above and below the visible part are drawn too. */
const MARGIN = 240;

/** The width of the columns before the text of a line, in characters. */
const BEFORE = 26;

const wrap = remembered<"on" | "off">("wrap", "off", ["on", "off"]);

interface LogViewProps {
  readonly id: string;
  readonly model: LogModel;
  /** Whether more lines may come. */
  readonly live: boolean;
  /** Whether the run ended in error. */
  readonly failed: boolean;
}

/** A log of any length: only the visible lines are in the page. */
export function LogView({ id, model, live, failed }: LogViewProps): VNode {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<HTMLDivElement>(null);
  const heights = useMemo(() => new Heights(), [model]);
  const search = useMemo(() => new Search(), [model]);
  const errors = useMemo(() => new FirstError(), [model]);
  const top = useSignal(0);
  // The height in the style sheet, until it is measured.
  const height = useSignal(Math.max(320, innerHeight - 180) - 2);
  const columns = useSignal(0);
  const follow = useSignal(!/^#L\d+$/.test(location.hash));
  /**
   * The line that stays visible until the user scrolls: lines above it may turn out to be higher, or come
   * later.
   */
  const aim = useRef<Row>(undefined);
  /**
   * Whether to show the first error: for a run that had failed before its page was opened, until the user
   * scrolls.
   */
  const opensAtError = useRef(failed && follow.peek());
  const found = useSignal("");
  const current = useSignal(-1);
  const laidOut = useRef({ version: -1, columns: -1, total: 0 });
  const { version, kept } = model.change.value;
  const { rows } = model;

  const width = wrap.value === "on" ? columns.value : 0;
  const isSameWidth = laidOut.current.columns === width;
  const isNext = laidOut.current.version === version - 1;
  const from = !isSameWidth ? 0 : laidOut.current.version === version ? rows.length : isNext ? kept : 0;
  const before = heights.total;
  // How many lines of text rows took when they were drawn: the browser breaks lines between words.
  const tall = useMemo(() => new WeakMap<Row, number>(), [width]);
  const measured = useSignal(0);
  const update = (first: number): void =>
    heights.update(first, rows.length, (at) => {
      const row = rows[at];
      return (row && tall.get(row)) ?? linesOf(row, width);
    });
  update(from);
  search.update(rows, from, found.value);
  const firstError = opensAtError.current ? errors.update(rows, from) : undefined;
  laidOut.current = { version, columns: width, total: heights.total };

  const chosen = useComputed(() => Number(/^#L(\d+)$/.exec(place.value.hash)?.[1] ?? 0)).value;
  const rowOfLine = (line: number): number => rows.findIndex((row) => isLine(row) && row.line === line);
  const topFor = (row: number): number => heights.topOf(row) - (box.current?.clientHeight ?? 0) / 3;
  const show = (row: number): void => {
    const element = box.current;
    if (element === null || row < 0) return;
    follow.value = false;
    aim.current = rows[row];
    element.scrollTop = topFor(row);
    element.scrollIntoView({ block: "nearest" });
  };
  const chosenByReader = (): void => {
    aim.current = undefined;
    opensAtError.current = false;
  };

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    // Lines that come above the visible part must not move it. Those that come below do not.
    if (follow.value) element.scrollTop = heights.total;
    else if (aim.current !== undefined) element.scrollTop = topFor(rows.indexOf(aim.current));
    else if (before > 0 && heights.topOf(kept) <= element.scrollTop) element.scrollTop += heights.total - before;
  }, [version, width, follow.value, height.value, measured.value]);
  useLayoutEffect(() => show(rowOfLine(chosen)), [chosen, chosen > 0 && rowOfLine(chosen) >= 0]);
  useLayoutEffect(() => {
    if (opensAtError.current && firstError !== undefined) show(rows.indexOf(firstError));
  }, [firstError]);
  useEffect(
    () =>
      watchSize(box.current, (tall, wide) => {
        height.value = tall;
        columns.value = wide;
      }),
    [],
  );

  const jump = (step: 1 | -1): void => {
    const row = search.next(current.value, step);
    if (row === undefined) return;
    opensAtError.current = false;
    current.value = row;
    show(row);
  };
  useEffect(() => {
    if (found.value !== "") jump(1);
  }, [found.value]);
  // In follow mode the end is visible, even before the box has scrolled there.
  const seen = follow.value ? Math.max(0, heights.total - height.value) : top.value;
  const first = heights.rowAt(seen - MARGIN);
  const last = Math.min(rows.length, heights.rowAt(seen + height.value + MARGIN) + 1);
  useLayoutEffect(() => {
    const element = box.current;
    if (width === 0 || element === null || drawn.current === null) return;
    let changed = rows.length;
    [...drawn.current.children].forEach((line, i) => {
      const row = rows[first + i];
      const lines = Math.max(1, Math.round((line as HTMLElement).offsetHeight / LINE_HEIGHT));
      if (row === undefined || lines === heights.linesAt(first + i)) return;
      tall.set(row, lines);
      changed = Math.min(changed, first + i);
    });
    if (changed === rows.length) return;
    const atTop = heights.rowAt(element.scrollTop);
    const old = heights.topOf(atTop);
    update(changed);
    element.scrollTop += heights.topOf(atTop) - old;
    measured.value++;
  });
  const zone = zoneFor(undefined);
  return (
    <div class="log">
      <LogTools
        id={id}
        search={search}
        found={found}
        current={current}
        follow={follow}
        live={live}
        wrap={wrap}
        jump={jump}
      />
      <section
        ref={box}
        class="lines"
        data-wrap={wrap.value}
        style={{ "--all": `${heights.total}px` }}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it only if it can have the focus.
        tabIndex={0}
        aria-label="Lines of the log"
        onWheel={chosenByReader}
        onPointerDown={chosenByReader}
        onKeyDown={chosenByReader}
        onScroll={({ currentTarget }) => {
          top.value = currentTarget.scrollTop;
          follow.value =
            currentTarget.scrollTop + currentTarget.clientHeight >= currentTarget.scrollHeight - LINE_HEIGHT;
        }}
      >
        <div class="all" style={{ height: `${heights.total}px` }}>
          <div ref={drawn} class="seen" style={{ transform: `translateY(${heights.topOf(first)}px)` }}>
            {rows.slice(first, last).map((row, i) => (
              <LogRow
                key={first + i}
                id={id}
                row={row}
                zone={zone}
                found={found.value}
                chosen={isLine(row) && row.line === chosen}
                current={first + i === current.value}
              />
            ))}
          </div>
        </div>
      </section>
    </div>
  );
}

function linesOf(row: Row | undefined, columns: number): number {
  if (row === undefined || !isLine(row) || columns <= 0) return 1;
  return Math.max(1, Math.ceil(columnsOf(plain(row.text)) / columns));
}

/** Reports the height of the box in px, and its width in characters of the log. */
function watchSize(
  element: HTMLElement | null,
  report: (tall: number, wide: number) => void,
): (() => void) | undefined {
  if (element === null) return undefined;
  const context = document.createElement("canvas").getContext("2d");
  const { fontFamily } = getComputedStyle(element);
  if (context !== null) context.font = `12px ${fontFamily}`;
  const letter = (context?.measureText("0".repeat(100)).width ?? 720) / 100;
  const observer = new ResizeObserver(() => {
    const { clientWidth, clientHeight } = element;
    // A narrow page shows no times: see the style sheet.
    const before = clientWidth < 560 ? 8 : BEFORE;
    report(clientHeight, Math.max(10, Math.floor((clientWidth - 24) / letter) - before));
  });
  observer.observe(element);
  return () => observer.disconnect();
}
