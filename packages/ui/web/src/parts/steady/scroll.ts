/** What an entry of the browser's history knows of the reader. */
interface Remembered {
  /** How far the page was scrolled, in px. */
  readonly y?: number;
  /** How many pages of a list were shown, by the path of its first one. */
  readonly lists?: Readonly<Record<string, number>>;
}

/** How long the lists of a page may take until they are long enough, in ms. */
const PATIENCE = 5_000;

/** Browsers refuse to note something more often than some hundred times in half a minute. */
const PAUSE = 200;

let timer: ReturnType<typeof setTimeout> | undefined;
let stop: (() => void) | undefined;

const remembered = (): Remembered => (history.state ?? {}) as Remembered;

const note = (more: Remembered): void => history.replaceState({ ...remembered(), ...more }, "");

/** How many pages of a list the reader had opened here. */
export const pagesOf = (list: string): number => remembered().lists?.[list] ?? 1;

/** Notes how many pages of a list are shown. */
export const notePages = (list: string, count: number): void =>
  note({ lists: { ...remembered().lists, [list]: count } });

/** Notes how far the page is scrolled, before it is left. */
export function noteScroll(): void {
  clearTimeout(timer);
  if (stop === undefined) note({ y: scrollY });
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
    addEventListener(own, () => stop?.(), { passive: true });
  scrollBack();
}

/** Scrolls to where the reader was, as soon as the page is so long. Whoever scrolls meanwhile is let be. */
function scrollBack(): void {
  clearTimeout(timer);
  stop?.();
  const { y } = remembered();
  if (y === undefined) return;
  const attempt = (): void => {
    scrollTo(0, y);
    if (Math.abs(scrollY - y) < 1) stop?.();
  };
  const observer = new ResizeObserver(attempt);
  const end = setTimeout(() => stop?.(), PATIENCE);
  stop = () => {
    stop = undefined;
    observer.disconnect();
    clearTimeout(end);
  };
  // The page that is left is drawn until then, and may be long enough.
  requestAnimationFrame(() => observer.observe(document.body));
}
