const answers = new Map(Object.entries(readBlock()));
const came = new WeakSet(answers.values());

/** The block is incomplete if the server died while it sent the page: then all answers are requested. */
function readBlock(): Readonly<Record<string, object>> {
  const block = document.getElementById("first");
  block?.remove();
  try {
    return JSON.parse(block?.textContent ?? "{}");
  } catch {
    return {};
  }
}

/** Whether the answer to a path came with the page, and was not taken yet. */
export const hasFirst = (path: string): boolean => answers.has(path);

/** The answer to a path that came with the page, once: the next one is requested. */
export function takeFirst(path: string): unknown {
  const answer = answers.get(path);
  answers.delete(path);
  return answer;
}

/** From now on, every answer is requested: what came with the page may be outdated. */
export function forgetFirst(): void {
  answers.clear();
}

/** The age of an answer, in ms. An answer that came with the page has waited for the program. */
export function ageOf(answer: object): number {
  const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return came.has(answer) && page !== undefined ? performance.now() - page.responseStart : 0;
}
