import type {
  Commit,
  CommitOutcome,
  ScanPage,
  ScanRequest,
  StoredCheck,
  StoredEntry,
  StoredWrite,
} from "@ojm/core/backend";
import { Client } from "../simulated/client.js";
import { Server } from "../simulated/server.js";
import type { Bug } from "./bug.js";

const NEVER = Number.POSITIVE_INFINITY;

/** A server that can show expired entries. */
class Graveyard extends Server {
  expired(key: string): boolean {
    return (this.entries.get(key)?.deadline ?? NEVER) <= this.clock.monotonic();
  }

  drop(key: string): void {
    this.entries.delete(key);
  }

  protected withExpired(key: string): StoredEntry | undefined {
    const held = this.entries.get(key);
    return held === undefined ? undefined : { key, value: held.value, version: held.version };
  }
}

function deadlines(change: (ttl: number) => number): typeof Server {
  return class extends Server {
    protected override deadline(ttl: number | undefined): number {
      return super.deadline(ttl === undefined ? undefined : change(ttl));
    }
  };
}

/** Entries that live too long or too short, or that count as present after they expired. */
export const timesToLive: readonly Bug[] = [
  { name: "entries expire early", killedBy: "TTL-001", server: deadlines((ttl) => ttl * 0.8) },
  { name: "entries expire late", killedBy: "TTL-001", server: deadlines((ttl) => ttl + 50) },
  {
    name: "times to live are rounded up to whole seconds",
    killedBy: "TTL-001",
    server: deadlines((ttl) => Math.ceil(ttl / 1_000) * 1_000),
  },
  {
    name: "long times to live overflow",
    killedBy: "TTL-008",
    server: deadlines((ttl) => (ttl > 2 ** 31 - 1 ? 1 : ttl)),
  },
  {
    name: "a list shows expired entries",
    killedBy: "TTL-002",
    server: class extends Graveyard {
      override scan(request: ScanRequest): ScanPage {
        const keys = this.keysBetween(request.from, request.to);
        if (request.reverse) keys.reverse();
        const entries = keys.flatMap((key) => this.withExpired(key) ?? []);
        return { entries: entries.slice(0, request.limit), more: entries.length > request.limit };
      }
    },
  },
  {
    name: "a page of nothing but expired entries is the last one",
    killedBy: "TTL-003",
    server: class extends Graveyard {
      override scan(request: ScanRequest): ScanPage {
        const keys = this.keysBetween(request.from, request.to);
        if (request.reverse) keys.reverse();
        const some = keys.slice(0, request.limit);
        const entries = some.flatMap((key) => this.find(key) ?? []);
        return { entries, more: keys.length > some.length && entries.length > 0 };
      }
    },
  },
  {
    name: "an expired entry still counts as present",
    killedBy: "TTL-020",
    server: class extends Graveyard {
      protected override holds({ key, version }: StoredCheck): boolean {
        return (this.withExpired(key)?.version ?? null) === version;
      }
    },
  },
  {
    name: "a reader that finds an entry expired deletes any entry under its key",
    killedBy: "TTL-024",
    server: Graveyard,
    client: class extends Client {
      override async read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
        const { server } = this;
        if (!(server instanceof Graveyard)) return super.read(keys);
        const stale: string[] = [];
        const found = await this.network.send(() => {
          stale.push(...keys.filter((key) => server.expired(key)));
          return server.read(keys);
        }, "not-applied");
        for (const key of stale) await this.network.send(() => server.drop(key), "unknown");
        return found;
      }
    },
  },
  {
    name: "a write without a time to live keeps the old deadline",
    killedBy: "TTL-005",
    server: class extends Server {
      protected override apply(write: StoredWrite, version: string): void {
        const deadline = this.entries.get(write.key)?.deadline;
        super.apply(write, version);
        const held = this.entries.get(write.key);
        if (held !== undefined && deadline !== undefined && write.ttl === undefined) {
          this.entries.set(write.key, { ...held, deadline });
        }
      }
    },
  },
  {
    name: "a timer deletes any entry that the key has by then",
    killedBy: "TTL-006",
    server: class extends Server {
      protected override apply(write: StoredWrite, version: string): void {
        super.apply(write, version);
        if (write.ttl !== undefined) this.clock.after(write.ttl, () => void this.entries.delete(write.key));
      }
    },
  },
  {
    name: "a refused renewal renews the entry anyway",
    killedBy: "TTL-023",
    server: class extends Server {
      override commit(commit: Commit): CommitOutcome {
        const outcome = super.commit(commit);
        if (outcome.ok) return outcome;
        for (const { key, ttl } of commit.writes) {
          const held = this.entries.get(key);
          if (held !== undefined) this.entries.set(key, { ...held, deadline: this.deadline(ttl) });
        }
        return outcome;
      }
    },
  },
  {
    name: "all writes of a commit live as long as the first",
    killedBy: "TTL-026",
    server: class extends Server {
      override commit({ checks, writes }: Commit): CommitOutcome {
        const ttl = writes[0]?.ttl;
        return super.commit({
          checks,
          writes: writes.map(({ key, value }) => ({ key, value, ...(ttl === undefined ? {} : { ttl }) })),
        });
      }
    },
  },
];
