import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * Keeps the height that an element once had at its width: where a line of it comes and goes with each run, a
 * button below would move under the pointer.
 */
export function useSteady<T extends HTMLElement>(): RefObject<T | null> {
  const element = useRef<T>(null);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    let [width, height] = [0, 0];
    const observer = new ResizeObserver(() => {
      if (current.offsetWidth !== width) {
        [width, height] = [current.offsetWidth, 0];
        current.style.minHeight = "";
      }
      if (current.offsetHeight <= height) return;
      height = current.offsetHeight;
      current.style.minHeight = `${height}px`;
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return element;
}

/**
 * Resolves once what was rendered can be seen. A frame is on the screen when the next one begins: work
 * between them would hold it up. A tab that nobody sees, or that is left at once, paints nothing.
 */
export function painted(): Promise<void> {
  if (document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)));
    setTimeout(resolve, 1_000);
  });
}
