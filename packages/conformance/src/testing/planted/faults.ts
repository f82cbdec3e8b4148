import { EventEmitter } from "node:events";
import { ChannelError, type Commit, type CommitOutcome, isChannelError, type StoredEntry } from "@ojm/core/backend";
import { Client } from "../simulated/client.js";
import type { Bug } from "./bug.js";

/** Clients that hide a fault or report it wrongly. */
export const faults: readonly Bug[] = [
  {
    name: "a store that is down reads as absent",
    killedBy: "ERR-001",
    client: class extends Client {
      override read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
        return super.read(keys).catch(() => keys.map(() => undefined));
      }
    },
  },
  {
    name: "a store that is down lists as empty",
    killedBy: "ERR-001",
    client: class extends Client {
      override scan(request: Parameters<Client["scan"]>[0]): ReturnType<Client["scan"]> {
        return super.scan(request).catch(() => ({ entries: [], more: false }));
      }
    },
  },
  {
    name: "a commit whose answer was lost is sent again",
    killedBy: "ERR-021",
    client: class extends Client {
      override commit(commit: Commit): Promise<CommitOutcome> {
        return super.commit(commit).catch(() => super.commit(commit));
      }
    },
  },
  {
    name: "a write whose answer was lost is sent again",
    killedBy: "ERR-020",
    client: class extends Client {
      override commit(commit: Commit): Promise<CommitOutcome> {
        if (commit.checks.length > 0) return super.commit(commit);
        return super.commit(commit).catch((error: unknown) => {
          setTimeout(() => super.commit(commit).catch(() => {}), 20);
          throw error;
        });
      }
    },
  },
  {
    name: "a commit whose answer was lost is reported as not applied",
    killedBy: "ERR-020",
    client: class extends Client {
      override commit(commit: Commit): Promise<CommitOutcome> {
        return super.commit(commit).catch((error: unknown) => {
          throw new ChannelError("TIMEOUT", "no answer", { retryable: true, outcome: "not-applied", cause: error });
        });
      }
    },
  },
  {
    name: "a write while the connection is lost is acknowledged, to be sent later",
    killedBy: "ERR-004",
    client: class extends Client {
      override async commit(commit: Commit): Promise<CommitOutcome> {
        try {
          return await super.commit(commit);
        } catch (error) {
          if (!isChannelError(error) || commit.checks.length > 0) throw error;
          this.network.onReconnect(() => void super.commit(commit).catch(() => {}));
          return { ok: true, version: String(Date.now()) };
        }
      }
    },
  },
  {
    name: "a call waits for ever while the store is away",
    killedBy: "ERR-004",
    client: class extends Client {
      override read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
        return super.read(keys).catch(() => new Promise<never>(() => {}));
      }
    },
  },
  {
    name: "a fault rejects with the driver's own error",
    killedBy: "ERR-001",
    client: class extends Client {
      override read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
        return super.read(keys).catch(() => Promise.reject(new Error("ECONNRESET")));
      }
    },
  },
  {
    name: "an error of a fault is not marked as retryable",
    killedBy: "ERR-004",
    client: class extends Client {
      override read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
        return super.read(keys).catch(() => Promise.reject(new ChannelError("UNAVAILABLE", "no answer")));
      }
    },
  },
  {
    name: "a rejection is left unhandled",
    killedBy: "ERR-005",
    client: class extends Client {
      override read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
        const reading = super.read(keys);
        // This copy of the promise is never awaited, so its rejection is unhandled.
        void reading.then((entries) => entries.length);
        return reading;
      }
    },
  },
  {
    name: "an error of the connection is emitted without a listener",
    killedBy: "WCH-043",
    client: class extends Client {
      override async watch(...args: Parameters<Client["watch"]>): ReturnType<Client["watch"]> {
        const connection = new EventEmitter();
        this.network.onReconnect(() => setTimeout(() => connection.emit("error", new Error("ECONNRESET"))));
        return super.watch(...args);
      }
    },
  },
  {
    name: "a client that lost its connection once never works again",
    killedBy: "ERR-005",
    client: class extends Client {
      #broken = false;

      override async read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
        if (this.#broken) throw new ChannelError("UNAVAILABLE", "the connection is gone", { retryable: true });
        try {
          return await super.read(keys);
        } catch (error) {
          this.#broken = true;
          throw error;
        }
      }
    },
  },
  {
    name: "a message contains the value",
    killedBy: "ERR-027",
    client: class extends Client {
      override commit(commit: Commit): Promise<CommitOutcome> {
        return super.commit(commit).catch(() => {
          const message = `no answer to ${JSON.stringify(commit)}`;
          throw new ChannelError("TIMEOUT", message, { retryable: true, outcome: "unknown" });
        });
      }
    },
  },
];
