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
