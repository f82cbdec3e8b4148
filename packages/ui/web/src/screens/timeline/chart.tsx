import { useSignal, useSignalEffect } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { go, to } from "../../app/router.js";
import { theme } from "../../app/theme.js";
import { second } from "../../format/clock.js";
import { AXIS, type Colors, colorsOf, draw, LANE } from "./canvas/draw.js";
import { followPointer } from "./canvas/pointer.js";
import { clockChanges, marksOf } from "./model/axis.js";
import { barsOf, closerTo, crowdOf, type Item, idOf, itemsOf, type LiveLane } from "./model/items.js";
import { pan, show, shown, zoom } from "./model/window.js";
import { Mirror, Tip } from "./words.js";

interface ChartProps {
  readonly lanes: readonly LiveLane[];
  /** The zone of the axis. */
  readonly zone: string;
  /** Reports the width of the chart, and when its end is near. */
  readonly onWidth: (px: number) => void;
  readonly onEnd: () => void;
}

/** The width of the lanes on paper, in px. The style sheet stretches them to the width of the page. */
const PAPER = 700;

/** The lanes: their names as links, their runs and ticks on a canvas. */
export function Chart({ lanes, zone, onWidth, onEnd }: ChartProps): VNode {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const cursor = useSignal<Item | undefined>(undefined);
  const hovered = useSignal<{ readonly item: Item; readonly x: number; readonly y: number } | undefined>(undefined);
  const pointer = useRef<{ readonly x: number; readonly y: number } | undefined>(undefined);
  const size = useSignal({ width: 0, height: 0 });
  const scrolled = useSignal(0);
  // Later callbacks need the latest values: the first `onWidth` would request the first search again.
  const latest = useRef({ lanes, zone, onWidth });
  latest.current = { lanes, zone, onWidth };
  const drawn = useMemo(() => ({ frame: 0, colors: undefined as Colors | undefined, isOnPaper: false }), []);

  const pointAt = (at: typeof pointer.current): void => {
    pointer.current = at;
    const y = (at?.y ?? 0) + scrolled.peek() - AXIS;
    const item = at && hitTest(latest.current.lanes, at.x, y, size.peek().width);
    hovered.value = item && { item, ...at };
  };
  // The item under a resting pointer may have changed meanwhile.
  useEffect(() => {
    if (pointer.current !== undefined) pointAt(pointer.current);
  }, [lanes]);

  const paint = (): void => {
    cancelAnimationFrame(drawn.frame);
    drawn.frame = requestAnimationFrame(paintNow);
  };
  const paintNow = (): void => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    const { isOnPaper } = drawn;
    const { lanes, zone } = latest.current;
    const { width, height } = isOnPaper ? { width: PAPER, height: AXIS + lanes.length * LANE } : size.peek();
    if (!element || !context || width === 0) return;
    const ratio = isOnPaper ? 2 : devicePixelRatio;
    const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
    // Setting the size clears the canvas and is slow: only if it changed.
    if (element.width !== wide || element.height !== tall) Object.assign(element, { width: wide, height: tall });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawn.colors ??= colorsOf(element.parentElement ?? document.body, isOnPaper ? "light" : "inherit");
    const range = shown.peek();
    const now = second.peek();
    draw({
      ...{ context, width, height, colors: drawn.colors, range, now, lanes },
      marks: marksOf(range.from, range.to, zone, Math.max(2, width / 92)),
      changes: clockChanges(range.from, range.to, zone),
      ...{ scrolled: isOnPaper ? 0 : scrolled.peek(), cursor: cursor.peek() },
      font: `11px ${getComputedStyle(element).fontFamily}`,
    });
  };
  useEffect(paint);
  useSignalEffect(() => {
    void [shown.value, second.value, scrolled.value, cursor.value, size.value];
    paint();
  });
  const repaint = (): void => {
    drawn.colors = undefined;
    paint();
  };
  useSignalEffect(() => {
    void theme.value;
    repaint();
  });
  useEffect(() => {
    // Paper shows all lanes, in light colours. No frame is drawn before printing.
    const print = ({ type }: Event): void => {
      drawn.isOnPaper = type === "beforeprint";
      drawn.colors = undefined;
      paintNow();
    };
    const themes = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
    for (const each of themes) each.addEventListener("change", repaint);
    for (const type of ["beforeprint", "afterprint"]) addEventListener(type, print);
    return () => {
      for (const each of themes) each.removeEventListener("change", repaint);
      for (const type of ["beforeprint", "afterprint"]) removeEventListener(type, print);
    };
  }, []);
  useEffect(() => {
    const [element, box] = [canvas.current, scroller.current];
    if (element === null || box === null) return undefined;
    const observer = new ResizeObserver(() => {
      size.value = { width: element.clientWidth, height: box.clientHeight };
      latest.current.onWidth(element.clientWidth);
    });
    observer.observe(box);
    const off = followPointer(element, {
      hover: (x, y) => pointAt({ x, y }),
      leave: () => pointAt(undefined),
      press: (x) => {
        const { from, to: end } = shown.peek();
        open(hovered.peek()?.item, from + (x / element.clientWidth) * (end - from));
      },
    });
    return () => {
      observer.disconnect();
      off();
    };
  }, []);

  // On a tall screen, the first lanes may all fit, and no scroll would request more.
  useEffect(() => {
    const box = scroller.current;
    if (box !== null && box.scrollHeight <= box.clientHeight + LANE) onEnd();
  }, [lanes.length, size.value.height]);

  const key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!handleKey(event.key, event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const handleKey = (pressed: string, shift: boolean): boolean => {
    if (pressed === "+" || pressed === "=") zoom(0.5);
    else if (pressed === "-" || pressed === "−") zoom(2);
    else if (shift && pressed === "ArrowLeft") pan(-0.25);
    else if (shift && pressed === "ArrowRight") pan(0.25);
    else if (pressed === "Enter") open(cursor.peek());
    else if (pressed === "Escape") cursor.value = undefined;
    else {
      const next = stepFrom(lanes, cursor.peek(), pressed);
      if (next === undefined) return false;
      cursor.value = next;
      reveal(next);
    }
    return true;
  };
  const reveal = (item: Item): void => {
    const row = lanes.findIndex(({ name }) => name === item.lane);
    const box = scroller.current;
    if (box === null || row === -1) return;
    const y = row * LANE;
    if (y < box.scrollTop) box.scrollTop = y;
    else if (y + LANE + AXIS > box.scrollTop + box.clientHeight) box.scrollTop = y + LANE + AXIS - box.clientHeight;
  };
  const current = cursor.value?.lane;
  // Hundreds of names must not be compared at each move of the pointer.
  const names = useMemo(
    () => (
      <ol class="lane-names" aria-label="Jobs">
        {lanes.map(({ name }) => (
          <li key={name} class="row" data-current={current === name}>
            <a href={to.job(name)} class="cut" title={name}>
              {name}
            </a>
          </li>
        ))}
      </ol>
    ),
    [lanes, current],
  );
  const pointed =
    hovered.value ??
    (cursor.value && { item: cursor.value, ...placeOf(cursor.value, lanes, size.value.width, scrolled.value) });
  return (
    <div class="chart" style={{ "--tall": `${AXIS + lanes.length * LANE + 2}px` }}>
      <div
        class="chart-scroll"
        ref={scroller}
        onScroll={({ currentTarget }) => {
          scrolled.value = currentTarget.scrollTop;
          if (currentTarget.scrollTop + currentTarget.clientHeight * 2 > currentTarget.scrollHeight) onEnd();
        }}
      >
        <span class="lane-zone dim cut" title={`Times in ${zone}`}>
          {zone}
        </span>
        {names}
        <div
          class="lane-canvas"
          role="application"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys of the timeline are taken here.
          tabIndex={0}
          aria-label="Timeline. Up and down change the job, left and right go from run to run, Enter opens, plus and minus zoom."
          onKeyDown={key}
        >
          <canvas ref={canvas} data-pointing={hovered.value !== undefined} />
        </div>
      </div>
      {pointed !== undefined && <Tip {...pointed} zone={zone} width={size.value.width} />}
      <Mirror lanes={lanes} cursor={cursor.value} zone={zone} />
    </div>
  );
}

/**
 * Opens the run, or zooms in on a bar of several runs; a tick opens its run or its job,
 * and a change its job.
 *
 * @param at the time that was clicked on. For a key: the middle of the visible part of the bar.
 */
function open(item: Item | undefined, at?: number): void {
  if (item === undefined) return;
  if (item.kind === "mark") {
    go(to.job(item.lane));
    return;
  }
  if (item.kind === "tick") {
    go(item.tick.run === undefined ? to.job(item.lane) : to.run(item.tick.run));
    return;
  }
  const id = idOf(item.bar);
  const range = shown.peek();
  if (id !== undefined) go(to.run(id));
  else show(closerTo(item.bar, range, at ?? (Math.max(range.from, item.at) + Math.min(range.to, item.end)) / 2));
}

function placeOf(
  item: Item,
  lanes: readonly LiveLane[],
  width: number,
  scrolled: number,
): { readonly x: number; readonly y: number } {
  const { from, to: end } = shown.value;
  const x = Math.min(width, Math.max(0, ((item.at - from) / (end - from)) * width));
  return { x, y: AXIS + lanes.findIndex(({ name }) => name === item.lane) * LANE - scrolled + LANE / 2 };
}

/** How near the pointer must be, in px. */
const NEAR = 6;

/** Half the width of the mark of a tick, in px, and of a small one. */
const MARK = 7;
const SMALL = 4;

/** From here down in a lane, the pointer selects small marks; above that, bars. */
const LOW = LANE - 12;

/** The item at a place of the chart. */
function hitTest(lanes: readonly LiveLane[], x: number, y: number, width: number): Item | undefined {
  const lane = y < 0 ? undefined : lanes[Math.floor(y / LANE)];
  if (lane === undefined) return undefined;
  const range = shown.peek();
  const px = (at: number): number => ((at - range.from) / (range.to - range.from)) * width;
  const isCrowded = crowdOf(barsOf(lane, second.peek()), px);
  const isLow = y % LANE >= LOW;
  let [best, least] = [undefined as Item | undefined, NEAR];
  for (const item of itemsOf(lane, range, second.peek())) {
    const fromMark = Math.abs(px(item.at) - x);
    // Marks are drawn above bars, which are often wider: the pointer can select the bar beside the mark.
    const isSmall = item.kind === "tick" && isCrowded(px(item.at));
    if (isSmall && !isLow) continue;
    const half = isSmall ? SMALL : MARK;
    const isOnMark = item.kind !== "bar" && fromMark <= half;
    const away = isOnMark ? fromMark - half : Math.max(0, px(item.at) - x, x - px(item.end));
    // If two items are equally near, the later one was drawn on top.
    if (away <= least) [best, least] = [item, away];
  }
  return best;
}

/** The item that a key moves to. */
function stepFrom(lanes: readonly LiveLane[], at: Item | undefined, key: string): Item | undefined {
  const range = shown.peek();
  const now = second.peek();
  const items = (row: number): readonly Item[] => {
    const lane = lanes[row];
    return lane === undefined ? [] : itemsOf(lane, range, now);
  };
  const row = at === undefined ? -1 : lanes.findIndex(({ name }) => name === at.lane);
  if (key === "ArrowDown" || key === "ArrowUp") {
    const step = key === "ArrowDown" ? 1 : -1;
    for (let next = row + step; next >= 0 && next < lanes.length; next += step) {
      const near = nearest(items(next), at?.at ?? now);
      if (near !== undefined) return near;
    }
    return at;
  }
  if (at === undefined)
    return key.startsWith("Arrow") ? items(lanes.findIndex((_, i) => items(i).length > 0)).at(-1) : undefined;
  const all = items(row);
  const index = all.findIndex((item) => item.at === at.at && item.kind === at.kind);
  if (key === "ArrowRight") return all[index + 1] ?? at;
  if (key === "ArrowLeft") return index === -1 ? all.at(-1) : (all[index - 1] ?? at);
  if (key === "Home") return all[0];
  return key === "End" ? all.at(-1) : undefined;
}

function nearest(items: readonly Item[], time: number): Item | undefined {
  let best: Item | undefined;
  for (const item of items) {
    if (best === undefined || Math.abs(item.at - time) < Math.abs(best.at - time)) best = item;
  }
  return best;
}
