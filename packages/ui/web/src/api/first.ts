const answers = new Map(Object.entries(readBlock()));
const came = new WeakSet(answers.values());

/** Half of it, if the server died while it sent the page: all is asked for then. */
function readBlock(): Readonly<Record<string, object>> {
  const block = document.getElementById("first");
  block?.remove();
  try {
    return JSON.parse(block?.textContent ?? "{}");
  } catch {
    return {};
  }
}

/** Whether the answer to a path came with the page, and nobody took it yet. */
export const hasFirst = (path: string): boolean => answers.has(path);

/** The answer to a path that came with the page, once: the next one is asked for. */
export function takeFirst(path: string): unknown {
  const answer = answers.get(path);
  answers.delete(path);
  return answer;
}

/** From now on, all is asked for: what came with the page may be older than what is known. */
export function forgetFirst(): void {
  answers.clear();
}

/** How old an answer is, in ms. One that came with the page has waited for the program. */
export function ageOf(answer: object): number {
  const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return came.has(answer) && page !== undefined ? performance.now() - page.responseStart : 0;
}
