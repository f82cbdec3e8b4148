import type { Commit, StoredCheck, StoredWrite } from "@ojm/core/backend";
import type { CallersTransaction } from "../../harness/harness.js";
import type { Server } from "./server.js";

/** A transaction of a caller. It reaches the server when it commits. */
export class Transaction implements CallersTransaction {
  readonly #server: Server;
  readonly #checks: StoredCheck[] = [];
  readonly #writes: Map<string, StoredWrite> = new Map();

  constructor(server: Server) {
    this.#server = server;
  }

  get client(): this {
    return this;
  }

  join({ checks, writes }: Commit): void {
    this.#checks.push(...checks);
    for (const write of writes) this.#writes.set(write.key, write);
  }

  async commit(): Promise<void> {
    const { ok } = this.#server.commit({ checks: this.#checks, writes: [...this.#writes.values()] });
    if (!ok) throw new Error("a check did not hold");
  }

  async rollback(): Promise<void> {}
}
