import type { Commit, CommitOutcome, StoredCheck, StoredWrite } from "@ojm/core/backend";
import { Client } from "../simulated/client.js";
import { Server } from "../simulated/server.js";
import type { Bug } from "./bug.js";

/** Checks that hold or fail when they must not, and refusals that report the wrong entries. */
export const conditions: readonly Bug[] = [
  {
    name: "a stale version brings a deleted key back",
    killedBy: "CAS-006",
    server: class extends Server {
      protected override holds(check: StoredCheck): boolean {
        return super.holds(check) || (check.version !== null && this.find(check.key) === undefined);
      }
    },
  },
  {
    name: "the version 0 stands for absence",
    killedBy: "CAS-011",
    server: class extends Server {
      protected override holds(check: StoredCheck): boolean {
        return super.holds(check.version === "0" ? { ...check, version: null } : check);
      }
    },
  },
  {
    name: "an empty version is no condition",
    killedBy: "CAS-005",
    server: class extends Server {
      protected override holds(check: StoredCheck): boolean {
        return check.version === "" || super.holds(check);
      }
    },
  },
  {
    name: "versions are compared as numbers",
    killedBy: "CAS-012",
    server: class extends Server {
      protected override holds({ key, version }: StoredCheck): boolean {
        const there = this.find(key)?.version;
        return version === null ? there === undefined : Number(there) === Number(version);
      }
    },
  },
  {
    name: "a version holds as long as the value is the one that it stood for",
    killedBy: "CAS-008",
    server: class extends Server {
      readonly #values: Map<string, string | null> = new Map();

      protected override apply(write: StoredWrite, version: string): void {
        super.apply(write, version);
        this.#values.set(version, write.value);
      }

      protected override holds(check: StoredCheck): boolean {
        if (super.holds(check)) return true;
        const there = this.find(check.key);
        return there !== undefined && check.version !== null && this.#values.get(check.version) === there.value;
      }
    },
  },
  {
    name: "checks are made by the client, before it sends the writes",
    killedBy: "CNC-002",
    client: class extends Client {
      override async commit({ checks, writes }: Commit): Promise<CommitOutcome> {
        const current = await this.read(checks.map(({ key }) => key));
        const holds = checks.every(({ version }, i) => (current[i]?.version ?? null) === version);
        return holds ? super.commit({ checks: [], writes }) : { ok: false, current };
      }
    },
  },
  {
    name: "checks of keys that are not written are made before the commit",
    killedBy: "CNC-007",
    client: class extends Client {
      override async commit({ checks, writes }: Commit): Promise<CommitOutcome> {
        const outcome = await super.commit({ checks, writes: [] });
        if (!outcome.ok) return outcome;
        const written = new Set(writes.map(({ key }) => key));
        return super.commit({ checks: checks.filter(({ key }) => written.has(key)), writes });
      }
    },
  },
  {
    name: "what is there is not reported after a refusal",
    killedBy: "CAS-004",
    server: class extends Server {
      override commit(commit: Commit): CommitOutcome {
        const outcome = super.commit(commit);
        return outcome.ok ? outcome : { ok: false, current: [] };
      }
    },
  },
  {
    name: "after a refusal, only what failed is reported",
    killedBy: "CAS-023",
    server: class extends Server {
      override commit(commit: Commit): CommitOutcome {
        const outcome = super.commit(commit);
        if (outcome.ok) return outcome;
        const failed = commit.checks.map((check) => !this.holds(check));
        return { ok: false, current: outcome.current.map((entry, i) => (failed[i] === true ? entry : undefined)) };
      }
    },
  },
  {
    name: "what is there is read after the refusal, key by key",
    killedBy: "CNC-020",
    client: class extends Client {
      override async commit(commit: Commit): Promise<CommitOutcome> {
        const outcome = await super.commit(commit);
        if (outcome.ok) return outcome;
        const current = [];
        for (const { key } of commit.checks) current.push(...(await this.read([key])));
        return { ok: false, current };
      }
    },
  },
];
