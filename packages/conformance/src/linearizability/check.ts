import { type CommitOperation, type History, keysOf, type Operation, type Seen, seenBy, writerOf } from "./history.js";
import { type Step, search } from "./search.js";
import { resolveVersions, type Versions, type Violation } from "./versions.js";

interface State {
  /** For each key, the operation that put its value; 0 if the key is absent. */
  readonly writers: readonly number[];
  /** The highest version so far. It is not part of a state's name, because the steps taken determine it. */
  readonly last: bigint;
}

/**
 * Returns what is wrong with a history, if anything is. A history is right if its operations can have
 * happened one after the other, each at some moment between its beginning and its end, and if its versions
 * are unique and increase.
 */
export function findViolation(history: History): Violation | undefined {
  const { versions, violation } = resolveVersions(history);
  if (violation !== undefined) return violation;
  for (const part of independentParts(relevant(history))) {
    const found = checkPart(part, versions);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Leaves out the operations that can be taken to have had no effect. */
function relevant(history: History): Operation[] {
  const seen = new Set<number>();
  for (const operation of history)
    for (const it of seenBy(operation)) if (it !== undefined) seen.add(writerOf(it.value));
  return history.filter((operation) => {
    if (operation.kind === "read") return true;
    if (operation.outcome.type === "not-applied") return false;
    // Unanswered puts that no operation saw need not have happened. Deletes leave no trace to be seen, so
    // they stay.
    const onlyPuts = operation.writes.every(({ put }) => put);
    return operation.outcome.type !== "unknown" || !onlyPuts || seen.has(operation.id);
  });
}

/**
 * Splits a history into parts that have no key in common. Checked separately, they have far fewer orders to
 * try.
 */
function independentParts(history: readonly Operation[]): Operation[][] {
  const leaders = new Map<string, string>();
  const leader = (key: string): string => {
    let at = key;
    for (let next = leaders.get(at); next !== undefined; next = leaders.get(at)) at = next;
    return at;
  };
  for (const operation of history) {
    const [first, ...others] = keysOf(operation).map(leader);
    if (first === undefined) continue;
    for (const other of others) if (leader(other) !== leader(first)) leaders.set(leader(other), leader(first));
  }
  const parts = new Map<string, Operation[]>();
  for (const operation of history) {
    const [key] = keysOf(operation);
    if (key === undefined) continue;
    const part = parts.get(leader(key)) ?? [];
    part.push(operation);
    parts.set(leader(key), part);
  }
  return [...parts.values()];
}

function checkPart(part: readonly Operation[], versions: Versions): Violation | undefined {
  const keys = [...new Set(part.flatMap(keysOf))].sort();
  const places = new Map(keys.map((key, place) => [key, place]));
  const steps = part.map((operation) => stepOf(operation, places, versions));
  const result = search<State>(steps, { writers: keys.map(() => 0), last: 0n }, ({ writers }) => writers.join());
  if (result.ok) return undefined;
  const placed = result.longest.flatMap((step) => part[step]?.id ?? []);
  const order = placed.length === 0 ? "none can have been the first" : `the longest order is #${placed.join(" #")}`;
  return {
    law: `there is no order in which all operations can have happened: ${order}`,
    ids: part.map(({ id }) => id),
  };
}

function stepOf(operation: Operation, places: ReadonlyMap<string, number>, versions: Versions): Step<State> {
  const { invoked, returned } = operation;
  if (operation.kind === "commit") return { invoked, returned, apply: commitStep(operation, places, versions) };
  const expected = operation.keys.map((key, i) => ({ place: places.get(key) ?? 0, writer: writer(operation.seen[i]) }));
  return { invoked, returned, apply: (state) => (holds(state, expected) ? state : undefined) };
}

function commitStep(
  { id, checks, writes, outcome }: CommitOperation,
  places: ReadonlyMap<string, number>,
  versions: Versions,
): (state: State) => State | undefined {
  const place = (key: string): number => places.get(key) ?? 0;
  const conditions = checks.map(({ key, version }) => ({
    place: place(key),
    writer: version === null ? 0 : versions.writer(version),
  }));
  if (outcome.type === "refused") {
    const current = checks.map(({ key }, i) => ({ place: place(key), writer: writer(outcome.current[i]) }));
    return (state) => (!holds(state, conditions) && holds(state, current) ? state : undefined);
  }
  const version = BigInt(versions.version(id) ?? 0);
  return (state) => {
    if (!holds(state, conditions) || (version > 0n && version <= state.last)) return undefined;
    const writers = [...state.writers];
    for (const { key, put } of writes) writers[place(key)] = put ? id : 0;
    return { writers, last: version > 0n ? version : state.last };
  };
}

function holds(
  { writers }: State,
  conditions: readonly { readonly place: number; readonly writer: number }[],
): boolean {
  return conditions.every(({ place, writer: expected }) => writers[place] === expected);
}

function writer(seen: Seen | undefined): number {
  return seen === undefined ? 0 : writerOf(seen.value);
}
