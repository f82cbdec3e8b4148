/** So long the program of a page waits for them, in ms. What is not there by then it asks for by itself. */
const WAIT = 500;

/** What the program asks for first, by the path of its page, in the letters in which it asks. */
const ASKED: readonly (readonly [page: RegExp, paths: (name: string, query: URLSearchParams) => readonly string[]])[] =
  [
    [/^\/$/, () => ["now"]],
    [/^\/jobs$/, (_, query) => list("jobs", 100, query, ["q"])],
    [/^\/jobs\/([^/]+)$/, (name) => [`jobs/${name}`]],
    [/^\/jobs\/([^/]+)\/why$/, (name) => [`jobs/${name}/why`]],
    [/^\/runs$/, (_, query) => list("runs", 50, query, ["name", "q", "status"])],
    [/^\/runs\/([^/]+)$/, (id) => [`runs/${id}`, `runs/${id}/log?tail=400`]],
    [/^\/locks$/, () => ["locks"]],
    [/^\/audit$/, (_, query) => list("audit", 100, query, ["name", "q"])],
  ];

/** A list as its page narrows it down; nothing if the page does so by more than the API's own parameters. */
function list(path: string, limit: number, query: URLSearchParams, known: readonly string[]): readonly string[] {
  if ([...query.keys()].some((key) => !known.includes(key))) return [];
  const asked = new URLSearchParams({ limit: String(limit) });
  for (const key of known) {
    const value = query.get(key) ?? "";
    if (value !== "") asked.set(key, value);
  }
  return [`${path}?${asked}`];
}

/** What the program of a page asks first: paths below `/api/v1/`. Nothing if there is no such page. */
export function firstQuestions(page: string, query: URLSearchParams): readonly string[] {
  const asked = ASKED.flatMap(([pattern, paths]) => {
    const found = pattern.exec(page);
    return found === null ? [] : paths(encoded(found[1] ?? ""), query);
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
