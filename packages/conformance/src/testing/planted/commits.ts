import type { Commit, CommitOutcome, StoredEntry, StoredWrite } from "@ojm/core/backend";
import { Client } from "../simulated/client.js";
import { type Held, Server } from "../simulated/server.js";
import type { Bug } from "./bug.js";

/** Commits that are not all or nothing, and versions that break the rules. */
export const commits: readonly Bug[] = [
  {
    name: "a commit in a transaction of the caller is applied at once",
    killedBy: "TXN-001",
    client: class extends Client {
      override async commitIn(_: unknown, commit: Commit): Promise<void> {
        await this.commit(commit);
      }
    },
  },
  {
    name: "a transaction that is rolled back is applied by the next one",
    killedBy: "TXN-002",
    client: class extends Client {
      readonly #writes: StoredWrite[] = [];

      override commitIn(transaction: unknown, { checks, writes }: Commit): Promise<void> {
        this.#writes.push(...writes);
        return super.commitIn(transaction, { checks, writes: this.#writes });
      }
    },
  },
  {
    name: "the checks of a commit in a transaction are forgotten",
    killedBy: "TXN-003",
    client: class extends Client {
      override commitIn(transaction: unknown, { writes }: Commit): Promise<void> {
        return super.commitIn(transaction, { checks: [], writes });
      }
    },
  },
  {
    name: "a commit is sent write by write",
    killedBy: "CNC-021",
    client: class extends Client {
      override async commit({ checks, writes }: Commit): Promise<CommitOutcome> {
        const [first, ...others] = writes;
        let outcome = await super.commit({ checks, writes: first === undefined ? [] : [first] });
        for (const write of others) if (outcome.ok) outcome = await super.commit({ checks: [], writes: [write] });
        return outcome;
      }
    },
  },
  {
    name: "writes that stand before a check that fails are applied",
    killedBy: "CAS-021",
    server: class extends Server {
      override commit(commit: Commit): CommitOutcome {
        const [first] = commit.writes;
        const failing = commit.checks.findIndex((check) => !this.holds(check));
        if (failing > 0 && first !== undefined) this.apply(first, this.nextVersion());
        return super.commit(commit);
      }
    },
  },
  {
    name: "a commit of more writes than some limit loses the rest",
    killedBy: "SUP-003",
    server: class extends Server {
      override commit({ checks, writes }: Commit): CommitOutcome {
        return super.commit({ checks, writes: writes.slice(0, 99) });
      }
    },
  },
  {
    name: "each key counts its own versions, and starts again after a delete",
    killedBy: "CAS-010",
    server: class extends Server {
      override commit(commit: Commit): CommitOutcome {
        const key = commit.writes[0]?.key ?? "";
        this.lastVersion = Number(this.find(key)?.version ?? 0);
        return super.commit(commit);
      }
    },
  },
  {
    name: "a version is the number of writes to its key",
    killedBy: "CAS-017",
    server: class extends Server {
      readonly #writes: Map<string, number> = new Map();

      override commit(commit: Commit): CommitOutcome {
        const key = commit.writes[0]?.key ?? "";
        this.lastVersion = this.#writes.get(key) ?? 0;
        this.#writes.set(key, this.lastVersion + 1);
        return super.commit(commit);
      }
    },
  },
  {
    name: "versions are times in milliseconds, and two commits in one get the same",
    killedBy: "CNC-006",
    server: class extends Server {
      protected override nextVersion(): string {
        return String(Math.floor(Date.now()));
      }
    },
  },
  {
    name: "writing the same value again does not change the version",
    killedBy: "CAS-007",
    server: class extends Server {
      override commit(commit: Commit): CommitOutcome {
        const same = (write: StoredWrite): boolean =>
          this.find(write.key)?.value === write.value && write.ttl === undefined;
        if (!commit.writes.some(same) || !commit.checks.every((check) => this.holds(check)))
          return super.commit(commit);
        return { ok: true, version: String(this.lastVersion) };
      }
    },
  },
  {
    name: "a delete has no version of its own",
    killedBy: "CAS-027",
    server: class extends Server {
      protected override apply(write: StoredWrite, version: string): void {
        super.apply(write, version);
        if (write.value === null) this.lastVersion--;
      }
    },
  },
  {
    name: "versions start again when the server is restarted",
    killedBy: "ERR-006",
    server: class extends Server {
      override restart(): void {
        super.restart();
        this.lastVersion = 0;
      }
    },
  },
  {
    name: "writes are acknowledged before they are stored",
    killedBy: "ERR-007",
    server: class extends Server {
      readonly #late: string[] = [];

      protected override apply(write: StoredWrite, version: string): void {
        super.apply(write, version);
        this.#late.push(write.key);
      }

      override restart(): void {
        super.restart();
        for (const key of this.#late.slice(-5)) this.entries.delete(key);
      }
    },
  },
  {
    name: "reads may be answered from the client's own cache",
    killedBy: "VRB-002",
    client: class extends Client {
      readonly #cache: Map<string, StoredEntry | undefined> = new Map();

      override async read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
        const [key = ""] = keys;
        if (!this.#cache.has(key))
          for (const [i, entry] of (await super.read(keys)).entries()) this.#cache.set(keys[i] ?? "", entry);
        return keys.map((each) => this.#cache.get(each));
      }

      override async commit(commit: Commit): Promise<CommitOutcome> {
        const outcome = await super.commit(commit);
        for (const { key } of commit.writes) this.#cache.delete(key);
        return outcome;
      }
    },
  },
  {
    name: "some reads are answered by a replica that is one commit behind",
    killedBy: "LIN-001",
    server: class extends Server {
      #reads = 0;
      #behind: Map<string, Held> = new Map();

      override commit(commit: Commit): CommitOutcome {
        this.#behind = new Map(this.entries);
        return super.commit(commit);
      }

      override read(keys: readonly string[]): (StoredEntry | undefined)[] {
        if (++this.#reads % 7 !== 0) return super.read(keys);
        const { entries } = this;
        this.entries = this.#behind;
        const found = super.read(keys);
        this.entries = entries;
        return found;
      }
    },
  },
  {
    name: "a commit asks for the version first, and so takes two round trips",
    killedBy: "RTT-003",
    client: class extends Client {
      override async commit(commit: Commit): Promise<CommitOutcome> {
        await this.read([]);
        return super.commit(commit);
      }
    },
  },
];
