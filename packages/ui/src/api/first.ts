import { lookEndpoints } from "./look.js";

/** So long the program of a page waits for them, in ms. What is not there by then it asks for by itself. */
const WAIT = 500;

/** Whether there is a page at a path. Elsewhere the same program says that there is none, with 404 for probes. */
export const isPage = (path: string): boolean =>
  path === "/index.html" || lookEndpoints.some(({ page }) => page?.path.test(path) === true);

/** What the program of a page asks first: paths below `/api/v1/`. Nothing if there is no such page. */
export function firstQuestions(page: string, query: URLSearchParams): readonly string[] {
  const asked = lookEndpoints.flatMap(({ page: shown }) => {
    const found = shown?.path.exec(page);
    return found == null ? [] : (shown?.first(encoded(found[1] ?? ""), query) ?? []);
  });
  return asked.length === 0 ? [] : ["me", ...asked];
}

/**
 * The answers to the first questions. They come with the page: the program shows them as soon as it is there,
 * without a way to the server and back. What is refused, and what takes too long, is left to the program.
 * Never rejects.
 */
export async function firstAnswers(
  questions: readonly string[],
  ask: (path: string) => Promise<Response>,
): Promise<Readonly<Record<string, unknown>>> {
  const answers: Record<string, unknown> = {};
  const all = questions.map(async (path) => {
    const answer = await ask(path);
    if (answer.ok) answers[path] = await answer.json();
  });
  await within(WAIT, Promise.allSettled(all));
  return { ...answers };
}

/** A part of a path as the program writes it. An address may leave letters as they are that need no code. */
function encoded(part: string): string {
  try {
    return encodeURIComponent(decodeURIComponent(part));
  } catch {
    return encodeURIComponent(part);
  }
}

/** Waits for something, but not longer than so many ms. */
async function within(ms: number, it: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([it, late]);
  clearTimeout(timer);
}
