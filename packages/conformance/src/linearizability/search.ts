/** One operation as the search sees it. */
export interface Step<S> {
  readonly invoked: number;
  /** `Infinity`: it may take effect at any later time, or never. */
  readonly returned: number;
  /** The state after this step; `undefined` if the step cannot have had its answer in `state`. */
  apply(state: S): S | undefined;
}

/** An order in which all steps can have happened, or the longest beginning of an order that was found. */
export type SearchResult =
  | { readonly ok: true; readonly order: readonly number[] }
  | { readonly ok: false; readonly longest: readonly number[] };

interface Entry {
  /** The step that begins or ends here. */
  readonly step: number;
  readonly begins: boolean;
  before: Entry | undefined;
  after: Entry | undefined;
  /** For a beginning: its end. */
  end: Entry | undefined;
}

interface Choice<S> {
  readonly entry: Entry;
  readonly state: S;
  readonly done: bigint;
}

/**
 * Looks for an order of the steps in which every answer is right. A step that ended before another one began
 * must come before it. This is the algorithm of Wing and Gong, with Lowe's memory of the states that were
 * tried. `nameOf` returns equal texts for equal states.
 */
export function search<S>(steps: readonly Step<S>[], initial: S, nameOf: (state: S) => string): SearchResult {
  const head = timeline(steps);
  const tried = new Set<string>();
  const choices: Choice<S>[] = [];
  let longest: readonly number[] = [];
  let open = steps.filter(({ returned }) => returned < Number.POSITIVE_INFINITY).length;
  let state = initial;
  let done = 0n;
  let entry = head.after;
  while (open > 0) {
    const step = entry === undefined ? undefined : steps[entry.step];
    if (entry?.begins === true && step !== undefined) {
      const next = step.apply(state);
      const nextDone = done | (1n << BigInt(entry.step));
      const name = next === undefined ? "" : `${nextDone.toString(36)} ${nameOf(next)}`;
      if (next === undefined || tried.has(name)) {
        entry = entry.after;
        continue;
      }
      tried.add(name);
      choices.push({ entry, state, done });
      state = next;
      done = nextDone;
      if (entry.end !== undefined) open--;
      lift(entry);
      entry = head.after;
      continue;
    }
    // This is the end of a step that is not placed yet, and no later step can come before it. So the last
    // choice was wrong.
    if (choices.length > longest.length) longest = choices.map((choice) => choice.entry.step);
    const last = choices.pop();
    if (last === undefined) return { ok: false, longest };
    ({ state, done } = last);
    if (last.entry.end !== undefined) open++;
    unlift(last.entry);
    entry = last.entry.after;
  }
  return { ok: true, order: choices.map((choice) => choice.entry.step) };
}

/** Links all beginnings and ends in the order of time. Returns an entry in front of them that is neither. */
function timeline<S>(steps: readonly Step<S>[]): Entry {
  const entries: { readonly time: number; readonly entry: Entry }[] = [];
  steps.forEach(({ invoked, returned }, step) => {
    const end: Entry = { step, begins: false, before: undefined, after: undefined, end: undefined };
    const answered = returned < Number.POSITIVE_INFINITY;
    entries.push({ time: invoked, entry: { ...end, begins: true, end: answered ? end : undefined } });
    if (answered) entries.push({ time: returned, entry: end });
  });
  entries.sort((a, b) => a.time - b.time);
  const head: Entry = { step: -1, begins: false, before: undefined, after: undefined, end: undefined };
  let last = head;
  for (const { entry } of entries) {
    last.after = entry;
    entry.before = last;
    last = entry;
  }
  return head;
}

function lift(entry: Entry): void {
  remove(entry);
  if (entry.end !== undefined) remove(entry.end);
}

function unlift(entry: Entry): void {
  if (entry.end !== undefined) restore(entry.end);
  restore(entry);
}

function remove({ before, after }: Entry): void {
  if (before !== undefined) before.after = after;
  if (after !== undefined) after.before = before;
}

function restore(entry: Entry): void {
  if (entry.before !== undefined) entry.before.after = entry;
  if (entry.after !== undefined) entry.after.before = entry;
}
