import { type Signal, useComputed, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { ApiError } from "../../../api/call.js";
import { addressOf } from "../../../app/base.js";
import { remembered } from "../../../app/remembered.js";
import { place, to } from "../../../app/router.js";
import { count, number } from "../../../format/duration.js";
import { logTimes } from "../../../format/times.js";
import { zoneFor } from "../../../format/zone.js";
import { singleKeys } from "../../../palette/keys.js";
import { Icon } from "../../../parts/icon.js";
import { Section } from "../../../parts/page.js";
import { Empty, Failure, Skeleton } from "../../../parts/pictures.js";
import { isBroken, LineText, placesOf, plain } from "./ansi.js";
import { saysError } from "./error-words.js";
import { columnsOf, countLines, Heights, LINE_HEIGHT } from "./heights.js";
import { isLine, type LogModel, type Row } from "./log-model.js";

interface LogProps {
  readonly id: string;
  readonly model: LogModel;
  /** Whether more lines may come. */
  readonly live: boolean;
  /** Whether the run ended in error. */
  readonly failed: boolean;
}

/** The log of a run. */
export function Log(props: LogProps): VNode {
  const { model, live } = props;
  useEffect(() => model.go(live ? "follow" : "catch up"), [model, live]);
  const state = model.state.value;
  // Read to subscribe to changes: the rows are not a signal.
  model.change.value;
  const { lines, missing } = countLines(model.rows);
  const shown = missing === 0 ? number(lines) : `${number(lines)}, ${number(missing)} missing`;
  return (
    <Section title="Log" count={model.rows.length === 0 ? undefined : shown}>
      {state === "loading" && <Skeleton rows={8} />}
      {state instanceof ApiError && <Failure error={state} />}
      {state === "ready" && model.rows.length === 0 && <NoLines live={live} />}
      {state === "ready" && model.rows.length > 0 && <LogView {...props} />}
    </Section>
  );
}

const NoLines = ({ live }: { readonly live: boolean }): VNode =>
  live ? (
    <Empty title="No lines yet">The output of the run appears here.</Empty>
  ) : (
    <Empty title="No log is stored">The run wrote no lines, or its log was deleted after its retention time.</Empty>
  );

/** The rows of a log that contain a text. Adding rows does not search the rows before them again. */
class Search {
  matches: number[] = [];
  #found = "";
  #looked = 0;

  /** Searches the rows from `kept` on, or all rows if the text has changed. */
  update(rows: readonly Row[], kept: number, found: string): void {
    const from = found === this.#found ? Math.min(kept, this.#looked) : 0;
    this.matches = this.matches.filter((row) => row < from);
    this.#found = found;
    this.#looked = rows.length;
    if (found === "") {
      this.matches = [];
      return;
    }
    for (let i = from; i < rows.length; i++) {
      const row = rows[i];
      if (row !== undefined && isLine(row) && placesOf(plain(row.text), found).length > 0) this.matches.push(i);
    }
  }

  /** The match after a row, or the one before it; wraps around at the ends. */
  next(row: number, step: 1 | -1): number | undefined {
    if (step === 1) return this.matches.find((each) => each > row) ?? this.matches[0];
    return this.matches.findLast((each) => each < row) ?? this.matches.at(-1);
  }
}

/** The lines that are shown, by their levels. */
const LEVELS = [
  ["all", "All lines"],
  ["warn", "Warnings and errors"],
  ["error", "Errors"],
] as const;
type Level = (typeof LEVELS)[number][0];

/** The rows with at least this level. Places where lines are missing stay. */
const rowsOf = (rows: readonly Row[], level: Level): readonly Row[] =>
  level === "all"
    ? rows
    : rows.filter((row) => !isLine(row) || isError(row) || (level === "warn" && row.level === "warn"));

const isError = (row: Row): boolean => isLine(row) && (row.level === "error" || saysError(plain(row.text)));

/** The rows that report an error. Adding rows does not search the rows before them again. */
class Errors {
  all: number[] = [];
  #level = -1;
  #looked = 0;

  /** Searches the rows from `kept` on: those before are unchanged. */
  update(rows: readonly Row[], kept: number): void {
    const from = Math.min(kept, this.#looked);
    if (from < this.#looked) this.all = this.all.filter((row) => row < from);
    if (this.#level >= from) this.#level = -1;
    for (let i = from; i < rows.length; i++) {
      const row = rows[i];
      if (row === undefined || !isLine(row) || !isError(row)) continue;
      this.all.push(i);
      if (this.#level < 0 && row.level === "error") this.#level = i;
    }
    this.#looked = rows.length;
  }

  /** The first row with the level error; without one, the first that mentions an error. */
  get first(): number {
    return this.#level < 0 ? (this.all[0] ?? -1) : this.#level;
  }

  /** The next error after a row, or the first one; -1 if there is none. */
  after(at: number): number {
    return this.all.find((row) => row > at) ?? this.all[0] ?? -1;
  }
}

/** The most marks beside the scrollbar. Errors that are closer share one. */
const MARKS = 200;

/** Where the errors are in the log, from 0 to {@link MARKS}. */
function marksOf({ all }: Errors, heights: Heights): readonly number[] {
  const places = all.map((row) => Math.floor((heights.topOf(row) / heights.total) * MARKS));
  return [...new Set(places)];
}

/** The first and the last line that an address such as `#L10` or `#L10-L20` chooses; zeros for others. */
function linesIn(hash: string): readonly [first: number, last: number] {
  const [, a = 0, b = a] = (/^#L(\d+)(?:-L(\d+))?$/.exec(hash) ?? []).map(Number);
  return Number.isNaN(b) ? [a, a] : [Math.min(a, b), Math.max(a, b)];
}

/** How many px above and below the visible part are drawn too. */
const MARGIN = 240;

/** The width of the columns before the text of a line, in characters. */
const BEFORE = 26;

const wrap = remembered<"on" | "off">("wrap", "off", ["on", "off"]);

/** A log of any length: only the visible lines are in the page. */
function LogView({ id, model, live, failed }: LogProps): VNode {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<HTMLDivElement>(null);
  const heights = useMemo(() => new Heights(), [model]);
  const search = useMemo(() => new Search(), [model]);
  const errors = useMemo(() => new Errors(), [model]);
  const top = useSignal(0);
  // The height in the style sheet, until it is measured.
  const height = useSignal(Math.max(320, innerHeight - 180) - 2);
  const columns = useSignal(0);
  const follow = useSignal(linesIn(location.hash)[0] === 0);
  /** The line that stays visible until the user scrolls, while lines above it grow or come later. */
  const aim = useRef<Row>(undefined);
  /** Whether to show the first error: if the run failed before its page was opened, until a scroll. */
  const opensAtError = useRef(failed && follow.peek());
  const found = useSignal("");
  const current = useSignal(-1);
  const level = useSignal<Level>("all");
  const laidOut = useRef({ version: -1, columns: -1, level: level.value, total: 0 });
  const { version, kept } = model.change.value;
  const rows = useMemo(() => rowsOf(model.rows, level.value), [model, version, level.value]);

  const width = wrap.value === "on" ? columns.value : 0;
  const isSame = laidOut.current.columns === width && laidOut.current.level === level.value;
  const isNext = laidOut.current.version === version - 1 && level.value === "all";
  const from = !isSame ? 0 : laidOut.current.version === version ? rows.length : isNext ? kept : 0;
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
  errors.update(rows, from);
  const firstError = opensAtError.current ? rows[errors.first] : undefined;
  laidOut.current = { version, columns: width, level: level.value, total: heights.total };

  const hash = useComputed(() => place.value.hash).value;
  const [chosen, lastChosen] = linesIn(hash);
  const isChosen = (row: Row): boolean => isLine(row) && row.line === chosen;
  const topFor = (row: number): number => heights.topOf(row) - (box.current?.clientHeight ?? 0) / 3;
  /** `alone`: only the box scrolls. The reader has not asked for the line: the head of the page stays. */
  const show = (row: number, alone = false): void => {
    const element = box.current;
    if (element === null || row < 0) return;
    follow.value = false;
    aim.current = rows[row];
    element.scrollTop = topFor(row);
    if (!alone) element.scrollIntoView({ block: "nearest" });
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
  }, [version, width, level.value, follow.value, height.value, measured.value]);
  useLayoutEffect(() => show(rows.findIndex(isChosen)), [chosen, chosen > 0 && model.rows.some(isChosen)]);
  useLayoutEffect(() => {
    if (opensAtError.current && firstError !== undefined) show(rows.indexOf(firstError), true);
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
  const nextError = (): void => {
    const row = errors.after(current.value);
    if (row < 0) return;
    opensAtError.current = false;
    current.value = row;
    show(row);
  };
  const setLevel = (next: Level): void => {
    aim.current = rows[current.value] ?? rows[heights.rowAt(top.value)];
    // Few lines are all visible, their end too: that is no wish to follow a log.
    follow.value &&= live;
    level.value = next;
    current.value = -1;
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
  const marks = useMemo(() => marksOf(errors, heights), [version, heights.total, level.value, model]);
  return (
    <div class="log">
      <LogTools
        {...{ id, live, search, found, current, follow, jump, nextError }}
        level={level.value}
        setLevel={setLevel}
      />
      <div class="marked" style={{ "--all": `${heights.total}px` }}>
        <section
          ref={box}
          class="lines"
          data-wrap={wrap.value}
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
          {rows.length === 0 && <div class="line gap">No line has this level.</div>}
          <div class="all" style={{ height: `${heights.total}px` }}>
            <div ref={drawn} class="seen" style={{ transform: `translateY(${heights.topOf(first)}px)` }}>
              {rows.slice(first, last).map((row, i) => (
                <LogRow
                  key={first + i}
                  id={id}
                  row={row}
                  zone={zone}
                  found={found.value}
                  chosen={isLine(row) && row.line >= chosen && row.line <= lastChosen}
                  from={chosen}
                  current={first + i === current.value}
                />
              ))}
            </div>
          </div>
        </section>
        {/* For the eye: "Next error" leads there by keys. */}
        <div class="marks" aria-hidden="true">
          {marks.map((at) => (
            <i key={at} style={{ top: `${(at / MARKS) * 100}%` }} />
          ))}
        </div>
      </div>
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

interface ToolsProps extends Pick<LogProps, "id" | "live"> {
  readonly search: Search;
  readonly found: Signal<string>;
  readonly current: Signal<number>;
  readonly level: Level;
  readonly setLevel: (level: Level) => void;
  readonly follow: Signal<boolean>;
  readonly jump: (step: 1 | -1) => void;
  readonly nextError: () => void;
}

function LogTools({ id, live, search, found, current, level, setLevel, follow, jump, nextError }: ToolsProps): VNode {
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      const { target, ctrlKey, metaKey, altKey } = event;
      const isText = target instanceof HTMLElement && target.closest("input, textarea, select, dialog") !== null;
      if (event.key !== "f" || isText || ctrlKey || metaKey || altKey || singleKeys.value === "off" || !live) return;
      follow.value = !follow.value;
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [live]);
  const total = search.matches.length;
  const at = search.matches.indexOf(current.value) + 1;
  return (
    <div class="log-tools row">
      <input
        type="search"
        class="input find-field"
        data-find
        aria-label="Search the log"
        placeholder="Search the log, or /expression/"
        spellcheck={false}
        autocomplete="off"
        onInput={({ currentTarget }) => {
          found.value = currentTarget.value;
          current.value = -1;
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") jump(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <span class="dim nowrap" role="status">
        {isBroken(found.value)
          ? "not a regular expression"
          : found.value !== "" && (total === 0 ? "none" : `${at === 0 ? "" : `${number(at)} of `}${number(total)}`)}
      </span>
      <span class="end">
        <select
          class="input"
          aria-label="Level"
          value={level}
          onChange={({ currentTarget }) => setLevel(currentTarget.value as Level)}
        >
          {LEVELS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <button type="button" class="button" aria-label="Next error" onClick={nextError}>
          <Icon name="warn" />
          <span class="word">Next error</span>
        </button>
        <Toggle icon="wrap" label="Wrap" on={wrap.value === "on"} set={(on) => (wrap.value = on ? "on" : "off")} />
        <Toggle
          icon="follow"
          label="Follow"
          on={live && follow.value}
          set={(on) => (follow.value = on)}
          no={live ? undefined : "This run has ended."}
        />
        <a
          class="button"
          href={addressOf(`api/v1/runs/${encodeURIComponent(id)}/log.txt`)}
          download
          aria-label="Download"
          title="Download"
        >
          <Icon name="download" />
        </a>
      </span>
    </div>
  );
}

interface ToggleProps {
  readonly icon: "wrap" | "follow";
  readonly label: string;
  readonly on: boolean;
  readonly set: (on: boolean) => void;
  /** Why it is not possible now. */
  readonly no?: string | undefined;
}

const Toggle = ({ icon, label, on, set, no }: ToggleProps): VNode => (
  <button
    type="button"
    class="button"
    aria-pressed={on}
    aria-label={label}
    aria-disabled={no !== undefined}
    title={no === undefined ? label : `${label}: ${no}`}
    onClick={() => no === undefined && set(!on)}
  >
    <Icon name={icon} />
  </button>
);

interface RowProps {
  readonly id: string;
  readonly row: Row;
  readonly zone: string;
  readonly found: string;
  readonly chosen: boolean;
  /** The first line that is chosen, 0 for none: a click with Shift chooses the lines from there. */
  readonly from: number;
  readonly current: boolean;
}

function LogRow({ id, row, zone, found, chosen, from, current }: RowProps): VNode {
  if (!isLine(row)) return <div class="line gap">{gapText(row)}</div>;
  const { line, at, level, text } = row;
  const { clock, long } = logTimes(at, zone);
  return (
    <div class="line" data-level={level} data-chosen={chosen} data-current={current}>
      <a
        class="at"
        href={`${to.run(id)}#L${line}`}
        aria-label={`Line ${line}`}
        title="With Shift: the lines up to this one"
        onClick={(event) => {
          if (!event.shiftKey || from === 0) return;
          event.preventDefault();
          location.hash = `L${from}-L${line}`;
        }}
      >
        {line}
      </a>
      <time title={long}>{clock}</time>
      <span class="text">
        {(level === "error" || level === "warn") && <b class="level">{level} </b>}
        <LineText text={text} found={found} />
      </span>
    </div>
  );
}

function gapText(row: Exclude<Row, { readonly line: number }>): string {
  if ("loading" in row) return "Reading the lines before …";
  const { missing, dropped } = row;
  if (missing === "unknown") return "The last lines were not written: the process ended, or the store was away.";
  const all = `${count(missing.lines, "line")} missing`;
  if (dropped === undefined) return `${all}: the store no longer has them.`;
  return `${all}: ${count(dropped.lines, "line was", "lines were")} never written because the store was away or slow.`;
}
