/** What an entry of the browser's history knows of the reader. */
interface Remembered {
  /** How far the page was scrolled, in px. */
  readonly y?: number;
  /** How many pages of a list were shown, by the path of its first one. */
  readonly lists?: Readonly<Record<string, number>>;
}

/** How long a page may take until it grows again, in ms. Whoever scrolls or types meanwhile ends the wait. */
const PATIENCE = 30_000;

/** Browsers refuse to note something more often than some hundred times in half a minute. */
const PAUSE = 200;

let timer: ReturnType<typeof setTimeout> | undefined;
let endRestore: (() => void) | undefined;

const remembered = (): Remembered => (history.state ?? {}) as Remembered;

function note(more: Remembered): void {
  try {
    history.replaceState({ ...remembered(), ...more }, "");
  } catch {
    // It was noted too often. A link must lead on all the same.
  }
}

/** How many pages of a list the reader had opened here. */
export const pagesOf = (list: string): number => remembered().lists?.[list] ?? 1;

/** Notes how many pages of a list are shown. */
export const notePages = (list: string, count: number): void =>
  note({ lists: { ...remembered().lists, [list]: count } });

/** Notes how far the page is scrolled, unless it is not yet where the reader was. */
function noteScroll(): void {
  clearTimeout(timer);
  if (endRestore === undefined) note({ y: scrollY });
}

/** Before another page is shown by a link: its scroll is its own. */
export function leavePlace(): void {
  noteScroll();
  endRestore?.();
}

/**
 * "Back" and a reload lead to where the reader was. The browser would scroll there before the lists are as
 * long as they were.
 */
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

/** Scrolls to where the reader was, as soon as the page is so long. Whoever scrolls meanwhile is let be. */
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
  // The page that is left is drawn until then, and may be long enough. A hidden tab has no frame: it waits.
  const frame = requestAnimationFrame(() => observer.observe(document.body));
  endRestore = stop;
}
