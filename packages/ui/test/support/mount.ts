import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type JobManager, openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { backend as simple } from "@ojm/simple";
import { FaultyBackend } from "../../../core/src/testing/stores/faulty-backend.js";
import { openUi } from "../../src/create-ui.js";
import type { Ui } from "../../src/types.js";

interface Parts extends Pick<Mount, "manager" | "scheduler"> {
  readonly clock: { now: () => number };
  readonly store: FaultyBackend;
  readonly server: Server;
  readonly ui: Ui;
}

/** A UI in a server of this process, on a store in memory that can be away. Every user may do everything. */
export class Mount {
  readonly manager: JobManager;
  readonly scheduler: Scheduler;
  readonly url: string;
  /** How many streams are open, and how many were opened. */
  streams = 0;
  opened = 0;
  readonly #parts: Parts;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(parts: Parts) {
    const { server, ui } = parts;
    this.manager = parts.manager;
    this.scheduler = parts.scheduler;
    this.#parts = parts;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on("connection", (socket) => this.#sockets.add(socket));
    server.on("request", (request, response) => {
      if (request.url?.startsWith("/api/v1/events") === true) {
        this.streams++;
        this.opened++;
        response.on("close", () => this.streams--);
      }
      ui.listener(request, response);
    });
  }

  static async open(): Promise<Mount> {
    const clock = { ...systemClock };
    const store = new FaultyBackend(await simple.open({}, { clock }), clock, {});
    const channel = { backend: store };
    const manager = await openJobManager({ chJobs: channel, chLocks: channel, clock, heartbeatThread: false });
    const scheduler = openScheduler(manager, { clock });
    const ui = openUi({ manager, scheduler, authorize: () => ({ user: "ana", role: "admin" }) });
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    return new Mount({ clock, manager, scheduler, store, server, ui });
  }

  /** Runs a job as if it were `ms` ago, until then or later. Resolves to when the run started. */
  async runAgo(name: string, ms: number, { until = ms }: { readonly until?: number } = {}): Promise<number> {
    const run = await this.ago(ms, () => this.manager.start(name));
    await this.ago(until, () => run.end());
    return run.startTime;
  }

  /** Calls `work` as if it were `ms` ago. */
  async ago<T>(ms: number, work: () => Promise<T>): Promise<T> {
    this.#parts.clock.now = () => Date.now() - ms;
    try {
      return await work();
    } finally {
      this.#parts.clock.now = Date.now;
    }
  }

  /** How many bytes the server has sent so far. */
  get bytes(): number {
    return [...this.#sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  }

  /** Whether the store is unreachable. */
  set isAway(away: boolean) {
    this.#parts.store.fault = () => (away ? { type: "refused" } : undefined);
  }

  async close(): Promise<void> {
    await this.#parts.ui.close();
    const { server } = this.#parts;
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    await this.scheduler.close();
    await this.manager.close();
  }
}
