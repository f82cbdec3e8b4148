import { type CommitEnd, type History, type Operation, type Seen, writerOf } from "./history.js";

const WIDTH = 48;

/** A history for people: one line for each operation, with a bar from its beginning to its end. */
export function timeline(history: History): string {
  const times = history.flatMap(({ invoked, returned }) => [invoked, returned]);
  const moments = [...new Set(times.filter((time) => time < Number.POSITIVE_INFINITY))].sort((a, b) => a - b);
  const place = (time: number): number => Math.round((moments.indexOf(time) / Math.max(1, moments.length - 1)) * WIDTH);
  const shorten = shortener(history);
  return history
    .map((operation) => `${label(operation)} ${bar(operation, place)}  ${say(operation, shorten)}`)
    .join("\n");
}

function label({ client, id }: Operation): string {
  return `client ${client} ${`#${id}`.padStart(5)}`;
}

function bar({ invoked, returned }: Operation, place: (time: number) => number): string {
  const from = place(invoked);
  const open = returned === Number.POSITIVE_INFINITY;
  const to = open ? WIDTH : Math.max(from + 1, place(returned));
  return `${" ".repeat(from)}|${"-".repeat(to - from - 1)}${open ? "?" : "|"}`.padEnd(WIDTH + 2);
}

function say(operation: Operation, shorten: (key: string) => string): string {
  if (operation.kind === "read") {
    return `read ${operation.keys.map((key, i) => `${shorten(key)} is ${saySeen(operation.seen[i])}`).join(", ")}`;
  }
  const checks = operation.checks.map(
    ({ key, version }) => `${shorten(key)} ${version === null ? "absent" : `at ${version}`}`,
  );
  const writes = operation.writes.map(({ key, put }) => (put ? `put ${shorten(key)}` : `delete ${shorten(key)}`));
  const condition = checks.length === 0 ? "" : ` if ${checks.join(" and ")}`;
  return `${writes.join(", ") || "compare"}${condition}: ${sayEnd(operation.outcome)}`;
}

function sayEnd(outcome: CommitEnd): string {
  if (outcome.type === "applied") return `applied at ${outcome.version}`;
  if (outcome.type === "refused") return `refused, there is ${outcome.current.map(saySeen).join(", ")}`;
  return outcome.type === "unknown" ? "no answer" : "failed, not applied";
}

function saySeen(seen: Seen | undefined): string {
  if (seen === undefined) return "nothing";
  const writer = writerOf(seen.value);
  return `${writer < 0 ? seen.value : `what #${writer} put`} at ${seen.version}`;
}

/** Shortens keys to the part in which they differ. */
function shortener(history: History): (key: string) => string {
  const keys = history.flatMap((operation) =>
    operation.kind === "read" ? operation.keys : [...operation.checks, ...operation.writes].map(({ key }) => key),
  );
  const first = keys[0] ?? "";
  let common = first.lastIndexOf('"') + 1;
  while (common > 0 && !keys.every((key) => key.startsWith(first.slice(0, common)))) common--;
  return (key) => key.slice(common).trim();
}
