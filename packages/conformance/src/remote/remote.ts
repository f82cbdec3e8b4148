import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ChannelError } from "@ojm/core";
import type { Backend, CommitOutcome, ScanPage, StoredEntry, Supports, WatchSink } from "@ojm/core/backend";
import type { RemoteClient } from "../harness/harness.js";
import { type Call, fromWire, type Reply, type Request } from "./protocol.js";

/** A client that runs in a process of its own, as a backend of this process. */
export interface RemoteBackend extends Backend {
  /** Kills the process without warning. */
  kill(): Promise<void>;
  /**
   * Closes the client and waits for its process to end by itself. Resolves to its exit code, or to a text
   * that says why there is none.
   */
  closeAndExit(): Promise<number | string>;
  /** Like {@link closeAndExit}, but leaves the client open, and its watches too. */
  leaveAndExit(): Promise<number | string>;
}

/** How long a process may take to end once its client is closed, in ms. */
const LAST_WORDS = 15_000;

/** Opens a client in a process of its own. */
export async function openRemote({ module, args }: RemoteClient): Promise<RemoteBackend> {
  // `fork` passes on the options with which this process was started, such as those for TypeScript.
  const worker = new URL("./worker.js", import.meta.url);
  const child = fork(fileURLToPath(worker), [module, JSON.stringify(args)], { serialization: "advanced" });
  const client = new Client(child);
  try {
    await client.opened;
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return client;
}

class Client implements RemoteBackend {
  readonly opened: Promise<void>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #pending: Map<number, { resolve(result: unknown): void; reject(error: Error): void }> = new Map();
  readonly #sinks: Map<number, WatchSink> = new Map();
  #supports: Supports | undefined;
  #last = 0;
  #open: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.opened = new Promise<void>((resolve, reject) => {
      this.#open = { resolve, reject };
    });
    this.#ended = once(child, "exit");
    child.on("message", (reply: Reply) => this.#take(reply));
    child.on("exit", () => this.#lost());
  }

  get supports(): Supports {
    if (this.#supports === undefined) throw new Error("the remote client is not open yet");
    return this.#supports;
  }

  #take(reply: Reply): void {
    if (reply.type === "open") {
      this.#supports = Object.freeze(reply.supports);
      this.#open?.resolve();
    } else if (reply.type === "refused") this.#open?.reject(fromWire(reply.error));
    else if (reply.type === "result") this.#settle(reply.id)?.resolve(reply.result);
    else if (reply.type === "error") this.#settle(reply.id)?.reject(fromWire(reply.error));
    else if (reply.type === "change") this.#sinks.get(reply.watch)?.change(reply.change);
    else if (reply.type === "gap") this.#sinks.get(reply.watch)?.gap();
    else this.#sinks.get(reply.watch)?.fail(fromWire(reply.error));
  }

  #settle(id: number) {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #lost(): void {
    const error = new ChannelError("UNAVAILABLE", "the process of the client ended", { outcome: "unknown" });
    this.#open?.reject(error);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #call(call: Call): Promise<unknown> {
    const id = ++this.#last;
    const request: Request = { id, call };
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(new ChannelError("CLOSED", "the process of the client ended"));
      this.#pending.set(id, { resolve, reject });
      // A process that was just killed still counts as connected. Without a callback, its broken pipe would
      // be an unhandled `error` event.
      this.#child.send(request, (error) => {
        if (error === null) return;
        const details = { outcome: "unknown", cause: error } as const;
        this.#settle(id)?.reject(new ChannelError("UNAVAILABLE", "the process of the client ended", details));
      });
    });
  }

  async read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    const entries = (await this.#call({ member: "read", keys })) as (StoredEntry | null)[];
    return entries.map((entry) => entry ?? undefined);
  }

  async scan(request: Parameters<Backend["scan"]>[0]): Promise<ScanPage> {
    return (await this.#call({ member: "scan", request })) as ScanPage;
  }

  async commit(commit: Parameters<Backend["commit"]>[0]): Promise<CommitOutcome> {
    const outcome = (await this.#call({ member: "commit", commit })) as CommitOutcome;
    return outcome.ok ? outcome : { ok: false, current: outcome.current.map((entry) => entry ?? undefined) };
  }

  async watch(range: Parameters<Backend["watch"]>[0], sink: WatchSink): Promise<() => void> {
    const watch = ++this.#last;
    this.#sinks.set(watch, sink);
    await this.#call({ member: "watch", range, watch });
    return () => {
      this.#sinks.delete(watch);
      this.#call({ member: "unwatch", watch }).catch(() => {});
    };
  }

  async close(): Promise<void> {
    if (!this.#child.connected) return;
    try {
      await this.#call({ member: "close" });
    } finally {
      this.#sinks.clear();
      await this.#end();
    }
  }

  async closeAndExit(): Promise<number | string> {
    return this.#exitAfter("close");
  }

  async leaveAndExit(): Promise<number | string> {
    return this.#exitAfter("leave");
  }

  async #exitAfter(member: "close" | "leave"): Promise<number | string> {
    if (this.#child.connected) await this.#call({ member });
    await this.#end();
    return this.#child.exitCode ?? `it did not end within ${LAST_WORDS} ms and was ended by ${this.#child.signalCode}`;
  }

  async #end(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), LAST_WORDS);
    await this.#ended;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
