import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * Keeps the largest height that an element had at its width. If a line came and went with each run, a button
 * below it would move under the pointer.
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
 * Resolves once the rendered content is visible. A frame is on the screen when the next one starts: work in
 * between would delay it. A hidden tab, or one that is left at once, paints nothing.
 */
export function painted(): Promise<void> {
  if (document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)));
    setTimeout(resolve, 1_000);
  });
}
