import { isChannelError } from "@ojm/core";
import type { Backend, StoredCheck, StoredEntry } from "@ojm/core/backend";
import { type CommitEnd, type History, type Operation, type Seen, valueFor } from "./history.js";

/** Makes calls, and records when each began and ended, and how it ended. */
export class Recorder {
  readonly #operations: Operation[] = [];
  #time = 0;
  #ids = 0;

  get history(): History {
    return [...this.#operations].sort((a, b) => a.invoked - b.invoked);
  }

  /** Reads one key. A read that fails is not recorded, because it says nothing about the store. */
  async read(client: number, backend: Backend, key: string): Promise<Seen | undefined> {
    const invoked = ++this.#time;
    const [entry] = await backend.read([key]);
    const seen = seenOf(entry);
    this.#reads(client, invoked, [key], [seen]);
    return seen;
  }

  /** Reads all of `keys` as one page. They must be in order, with no other key between them. */
  async page(client: number, backend: Backend, keys: readonly string[]): Promise<void> {
    const [from = "", to = ""] = [keys[0], `${keys.at(-1)}\x01`];
    const invoked = ++this.#time;
    const page = await backend.scan({ from, to, reverse: false, limit: keys.length + 1, values: true });
    const found = new Map(page.entries.map((entry) => [entry.key, entry]));
    this.#reads(
      client,
      invoked,
      keys,
      keys.map((key) => seenOf(found.get(key))),
    );
  }

  #reads(client: number, invoked: number, keys: readonly string[], seen: readonly (Seen | undefined)[]): void {
    this.#operations.push({ id: ++this.#ids, client, kind: "read", keys, seen, invoked, returned: ++this.#time });
  }

  /**
   * Commits `checks` and writes: puts the value of this operation under each of `puts`, and deletes each of
   * `deletes`.
   */
  async commit(
    client: number,
    backend: Backend,
    checks: readonly StoredCheck[],
    puts: readonly string[],
    deletes: readonly string[] = [],
  ): Promise<CommitEnd> {
    const id = ++this.#ids;
    const value = valueFor(id);
    const writes = [...puts.map((key) => ({ key, put: true })), ...deletes.map((key) => ({ key, put: false }))];
    const invoked = ++this.#time;
    const commit = { checks, writes: writes.map(({ key, put }) => ({ key, value: put ? value : null })) };
    const outcome = await endOf(backend, commit);
    const returned = outcome.type === "unknown" ? Number.POSITIVE_INFINITY : ++this.#time;
    this.#operations.push({ id, client, kind: "commit", checks, writes, outcome, invoked, returned });
    return outcome;
  }
}

async function endOf(backend: Backend, commit: Parameters<Backend["commit"]>[0]): Promise<CommitEnd> {
  try {
    const outcome = await backend.commit(commit);
    if (outcome.ok) return { type: "applied", version: outcome.version };
    return { type: "refused", current: outcome.current.map(seenOf) };
  } catch (error) {
    if (!isChannelError(error)) throw error;
    return { type: error.outcome };
  }
}

function seenOf(entry: StoredEntry | undefined): Seen | undefined {
  return entry === undefined ? undefined : { value: entry.value, version: entry.version };
}
