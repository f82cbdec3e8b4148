/** What an entry of the browser's history stores about the page. */
interface Remembered {
  /** How far the page was scrolled, in px. */
  readonly y?: number;
  /** How many pages of a list were shown, by the path of its first one. */
  readonly lists?: Readonly<Record<string, number>>;
}

/** How long to wait for a page to grow again, in ms. Scrolling or typing ends the wait. */
const PATIENCE = 30_000;

/** Browsers reject more than some hundred changes of the history within half a minute. */
const PAUSE = 200;

let timer: ReturnType<typeof setTimeout> | undefined;
let endRestore: (() => void) | undefined;

const remembered = (): Remembered => (history.state ?? {}) as Remembered;

function note(more: Remembered): void {
  try {
    history.replaceState({ ...remembered(), ...more }, "");
  } catch {
    // There were too many changes. A link must still work.
  }
}

/** How many pages of a list the user had opened here. */
export const pagesOf = (list: string): number => remembered().lists?.[list] ?? 1;

/** Stores how many pages of a list are shown. */
export const notePages = (list: string, count: number): void =>
  note({ lists: { ...remembered().lists, [list]: count } });

/** Stores how far the page is scrolled, unless it is still being restored. */
function noteScroll(): void {
  clearTimeout(timer);
  if (endRestore === undefined) note({ y: scrollY });
}

/** Called before a link shows another page, which has its own scroll position. */
export function leavePlace(): void {
  noteScroll();
  endRestore?.();
}

/** Restores the scroll position after "back" and a reload: a browser scrolls before the lists are long. */
export function keepScroll(): void {
  history.scrollRestoration = "manual";
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(noteScroll, PAUSE);
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("pagehide", noteScroll);
  addEventListener("popstate", scrollBack);
  for (const own of ["wheel", "touchstart", "keydown", "pointerdown"])
    addEventListener(own, () => endRestore?.(), { passive: true });
  scrollBack();
}

/** Restores the scroll position as soon as the page is long enough, unless the user scrolls meanwhile. */
function scrollBack(): void {
  clearTimeout(timer);
  endRestore?.();
  const { y } = remembered();
  if (y === undefined) return;
  let end: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => {
    cancelAnimationFrame(frame);
    clearTimeout(end);
    observer.disconnect();
    if (endRestore === stop) endRestore = undefined;
  };
  const attempt = (): void => {
    clearTimeout(end);
    scrollTo(0, y);
    if (Math.abs(scrollY - y) < 1) stop();
    else end = setTimeout(stop, PATIENCE);
  };
  const observer = new ResizeObserver(attempt);
  // Until then the old page is drawn, which may be long enough. A hidden tab has no frames, so this waits.
  const frame = requestAnimationFrame(() => observer.observe(document.body));
  endRestore = stop;
}
