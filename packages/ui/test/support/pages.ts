import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobManager, openJobManager } from "@ojm/core";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { programArgs } from "@ojm/testing/programs";
import type { BrowserContext, Page } from "playwright-core";
import { browserOfProcess, contextOf, watch } from "./browser.js";

interface Served {
  readonly url: string;
  readonly port: number;
}

/** A store in a file with jobs of this process, a server of the pages in its own process, and a browser. */
export class Cockpit {
  readonly manager: JobManager;
  readonly scheduler: Scheduler;
  readonly context: BrowserContext;
  /** Violations: errors, requests to other hosts, violations of the policy. */
  readonly faults: string[] = [];
  readonly #folder: string;
  #server: ChildProcess | undefined;
  #served: Served = { url: "", port: 0 };

  private constructor(parts: Pick<Cockpit, "manager" | "scheduler" | "context"> & { folder: string }) {
    this.manager = parts.manager;
    this.scheduler = parts.scheduler;
    this.context = parts.context;
    this.#folder = parts.folder;
  }

  static async open(): Promise<Cockpit> {
    const folder = mkdtempSync(join(tmpdir(), "ojm-pages-"));
    const channel = { type: "sqlite", args: { file: join(folder, "ojm.db") } };
    const manager = await openJobManager({ chJobs: channel, chLocks: channel, heartbeatThread: false });
    const context = await contextOf(await browserOfProcess());
    const cockpit = new Cockpit({ manager, scheduler: openScheduler(manager), context, folder });
    await cockpit.startServer();
    await cockpit.signIn();
    return cockpit;
  }

  /** Starts the server, on the port that it had before. */
  async startServer(): Promise<void> {
    const script = programArgs(new URL("./demo.child.ts", import.meta.url));
    const args = [...script, join(this.#folder, "ojm.db"), String(this.#served.port)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#server = child;
    const gone = once(child, "exit").then(([code, signal]) => {
      throw new Error(`the server ended (${code ?? signal}) before it said where it is`);
    });
    [this.#served] = (await Promise.race([once(child, "message"), gone])) as [Served];
    gone.catch(() => {});
  }

  /** Kills the server, as the loss of its machine would. */
  async killServer(): Promise<void> {
    const child = this.#server;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  /** Uses the launch token. Later pages have the session. */
  async signIn(): Promise<void> {
    const page = await this.#newPage();
    await page.goto(this.#served.url);
    await page.getByRole("heading", { name: "Now", level: 1 }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.close();
  }

  /** Opens a page at a path, and waits until it is live. */
  async page(path: string): Promise<Page> {
    const page = await this.#newPage();
    // The session belongs to the host name of the link.
    await page.goto(new URL(`/${path}`, this.#served.url).href);
    await page.getByText("Live", { exact: true }).waitFor();
    return page;
  }

  async #newPage(): Promise<Page> {
    const page = await this.context.newPage();
    watch(page, new URL("/", this.#served.url), this.faults);
    return page;
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.killServer();
    await this.scheduler.close();
    await this.manager.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
