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
