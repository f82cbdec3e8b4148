import type { Commit, CommitOutcome, StoredEntry, StoredWrite } from "@ojm/core/backend";
import { Client } from "../simulated/client.js";
import { type Held, Server } from "../simulated/server.js";
import type { Bug } from "./bug.js";

/** A server that stores an entry under another key than the given one. */
function keyedBy(name: (key: string) => string): typeof Server {
  return class extends Server {
    override commit({ checks, writes }: Commit): CommitOutcome {
      return super.commit({
        checks: checks.map((check) => ({ ...check, key: name(check.key) })),
        writes: writes.map((write) => ({ ...write, key: name(write.key) })),
      });
    }

    override read(keys: readonly string[]): (StoredEntry | undefined)[] {
      return super
        .read(keys.map(name))
        .map((entry, i) => (entry === undefined ? entry : { ...entry, key: keys[i] ?? "" }));
    }
  };
}

/** Stores that confuse keys or change values. */
export const keysAndValues: readonly Bug[] = [
  {
    name: "keys are the same in upper and lower case",
    killedBy: "KEY-001",
    server: keyedBy((key) => key.toLowerCase()),
  },
  { name: "keys are normalised", killedBy: "KEY-001", server: keyedBy((key) => key.normalize("NFC")) },
  { name: "long keys are cut", killedBy: "SUP-004", server: keyedBy((key) => key.slice(0, 255)) },
  {
    name: "keys end at a question mark",
    killedBy: "KEY-001",
    server: keyedBy((key) => key.replace(/\?.*/, "?")),
  },
  {
    name: "an asterisk in a deleted key deletes other keys too",
    killedBy: "SCP-003",
    server: class extends Server {
      protected override apply(write: StoredWrite, version: string): void {
        super.apply(write, version);
        if (write.value !== null || !write.key.includes("*")) return;
        const [start = "", end = ""] = write.key.split("*");
        for (const key of [...this.entries.keys()]) {
          if (key.startsWith(start) && key.endsWith(end)) this.entries.delete(key);
        }
      }
    },
  },
  {
    name: "texts of digits come back as numbers",
    killedBy: "VAL-001",
    server: class extends Server {
      protected override find(key: string): StoredEntry | undefined {
        const entry = super.find(key);
        return entry === undefined ? entry : { ...entry, value: entry.value.replace(/^"(\d+)"$/, "$1") };
      }
    },
  },
  {
    name: "long values are cut, as far as JSON allows",
    killedBy: "SUP-005",
    server: class extends Server {
      protected override apply(write: StoredWrite, version: string): void {
        const value = write.value?.startsWith('"') ? `${write.value.slice(0, 10_000).replace(/"$/, "")}"` : write.value;
        super.apply({ ...write, value }, version);
      }
    },
  },
  {
    name: "a read returns the stored object itself",
    killedBy: "VAL-022",
    server: class extends Server {
      protected override find(key: string): StoredEntry | undefined {
        const held = this.entries.get(key) as (Held & { key?: string }) | undefined;
        if (held === undefined || super.find(key) === undefined) return undefined;
        return Object.assign(held, { key });
      }
    },
  },
  {
    name: "a write stores the caller's object itself",
    killedBy: "VAL-022",
    client: class extends Client {
      override commit(commit: Commit): Promise<CommitOutcome> {
        return this.network.send(() => this.server.commit(commit), "unknown");
      }
    },
    server: class extends Server {
      readonly #writes: Map<string, StoredWrite> = new Map();

      protected override apply(write: StoredWrite, version: string): void {
        super.apply(write, version);
        this.#writes.set(write.key, write);
      }

      protected override find(key: string): StoredEntry | undefined {
        const entry = super.find(key);
        return entry === undefined ? entry : { ...entry, value: this.#writes.get(key)?.value ?? entry.value };
      }
    },
  },
  {
    name: "a read of several keys leaves out those that are absent",
    killedBy: "KEY-010",
    server: class extends Server {
      override read(keys: readonly string[]): (StoredEntry | undefined)[] {
        const found = super.read(keys);
        return keys.length === 1 ? found : found.filter((entry) => entry !== undefined);
      }
    },
  },
];
