import { ChannelError, type Clock, durationText } from "@ojm/core/backend";
import { explain, isLasting, neverSent } from "../errors.js";
import { backoff, followsSentinels, isCluster, letProcessEnd, onEachSocket, type RedisClient } from "./client.js";
import { Deadlines } from "./deadlines.js";
import { MasterCheck } from "./master-check.js";
import { joinWrites } from "./turn-writes.js";

/**
 * One of our clients, with the rules for every call: the call ends within the deadline, it is sent at most
 * once, and its error says correctly whether it may have been sent.
 */
export class Connection {
  readonly client: RedisClient;
  readonly #where: string;
  readonly #deadline: number;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #waiting: Set<Waiting> = new Set();
  readonly #master: MasterCheck | undefined;
  /** The error that keeps it from connecting. */
  #trouble: ChannelError | undefined;
  #closed = false;

  constructor(client: RedisClient, where: string, deadline: number, clock: Clock) {
    this.client = client;
    this.#where = where;
    this.#deadline = deadline;
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock, deadline);
    this.#master = followsSentinels(client) ? new MasterCheck(client, clock) : undefined;
    letProcessEnd(client);
    onEachSocket(client, joinWrites);
    client.on("error", (error: Error) => this.#onError(error));
    client.on("ready", () => this.#onReady());
    client.on("end", () => this.#onEnd());
    client.connect().catch(() => {}); // the `error` event reports it
  }

  /**
   * Makes a call as soon as it is connected.
   *
   * @throws ChannelError `UNAVAILABLE` without a connection, `TIMEOUT` without an answer within the deadline,
   * `ABORTED` by the signal, `CLOSED` after `close()`, and the errors of the server
   */
  call<T>(send: (client: RedisClient) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.start(send, signal).result;
  }

  /** The same. The caller can end the call early by its `fail`. */
  start<T>(send: (client: RedisClient) => Promise<T>, signal?: AbortSignal): Call<T> {
    const call = new Call(this, send, signal);
    if (call.isOver) return call;
    this.#deadlines.start(call);
    if (this.#closed) call.fail(closed());
    else if (this.isReady) call.go();
    else if (this.#trouble !== undefined && isLasting(this.#trouble)) call.fail(this.#trouble);
    else this.#waiting.add(call);
    return call;
  }

  /** Called when a call is over, whether it succeeded or failed. */
  forget(call: Waiting): void {
    this.#deadlines.end(call);
    this.#waiting.delete(call);
  }

  /** Called when a call could not be sent: it waits for the next connection. */
  wait(call: Waiting): void {
    if (this.#closed) call.fail(closed());
    else this.#waiting.add(call);
  }

  /** The error for a call that failed with `error`. */
  explain(error: unknown): ChannelError {
    if (this.#closed) return closed("unknown");
    const explained = explain(error, this.#where, true);
    if (explained.code === "UNAVAILABLE") this.#master?.suspect();
    return explained;
  }

  /** The error for a call that was not answered in time. */
  overdue(sent: boolean): ChannelError {
    if (this.#closed) return closed(sent ? "unknown" : "not-applied");
    if (!sent) return this.#unavailable();
    this.#master?.suspect();
    const message = `${this.#where} did not answer within ${durationText(this.#deadline)}: whether it was done is not known`;
    return new ChannelError("TIMEOUT", message, { retryable: true, outcome: "unknown" });
  }

  get isReady(): boolean {
    return this.client.status === "ready";
  }

  /** How often it left a master that the Sentinels no longer name, on which nothing is published. */
  get moves(): number {
    return this.#master?.moves ?? 0;
  }

  /** Closes the client. Rejects all calls that are not over. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#master?.close();
    await this.#disconnect();
    this.#deadlines.expireAll();
  }

  #disconnect(): Promise<void> {
    const { client } = this;
    // Between two attempts to connect there is nothing to close, and no `end` event follows.
    const hasSocket = !["wait", "end", "close", "reconnecting"].includes(client.status);
    return new Promise((resolve) => {
      // ioredis emits no `end` either if it is stopped while it connects to a Cluster. This timer keeps the
      // process alive, or an `await close()` at the end of a program would never resolve.
      const timer = setTimeout(resolve, hasSocket ? 500 : 0);
      client.once("end", () => {
        clearTimeout(timer);
        resolve();
      });
      client.disconnect();
    });
  }

  #onReady(): void {
    this.#trouble = undefined;
    const calls = [...this.#waiting];
    this.#waiting.clear();
    for (const call of calls) call.go();
  }

  #onError(error: Error & { readonly command?: { readonly name?: string } }): void {
    this.#trouble = explain(error, this.#where, false);
    // Reconnect: ioredis would continue with database 0, which belongs to other programs.
    if (error.command?.name === "select") this.client.disconnect(true);
    if (!isLasting(this.#trouble)) return;
    for (const call of [...this.#waiting]) call.fail(this.#trouble);
  }

  /** Reconnects. ioredis gives up on errors that it considers final, but the server may come back. */
  #onEnd(): void {
    if (this.#closed) return;
    this.#clock.after(backoff(10), () => {
      if (!this.#closed && this.client.status === "end") this.client.connect().catch(() => {});
    });
  }

  #unavailable(): ChannelError {
    const cause = this.#trouble?.cause as NodeJS.ErrnoException | undefined;
    // Node reports no message if a name has several addresses.
    const why = cause === undefined ? "" : ` (${cause.message || cause.code})`;
    const advice = adviceOnStart(this.client, cause) ?? adviceOnTls(this.client, this.#trouble);
    const message = `${this.#where} is not reachable${why}: no connection within ${durationText(this.#deadline)}${advice}`;
    return new ChannelError("UNAVAILABLE", message, { retryable: true, cause: this.#trouble?.cause });
  }
}

/** The parts of a connection that a call uses. */
export type CallOwner = Pick<Connection, "client" | "forget" | "wait" | "explain" | "overdue">;

/** A call that is not over yet. */
export type Waiting = Pick<Call<unknown>, "go" | "fail" | "expire">;

/**
 * One call to the server. It records whether it may have been sent, because that decides what its failure
 * means. It is a class, because closures would cost more for each call.
 */
export class Call<T> {
  readonly #owner: CallOwner;
  readonly #send: (client: RedisClient) => Promise<T>;
  readonly #signal: AbortSignal | undefined;
  #sent = false;
  #settled = false;
  #resolve: (value: T) => void = () => {};
  #reject: (error: ChannelError) => void = () => {};
  readonly result: Promise<T>;

  constructor(owner: CallOwner, send: (client: RedisClient) => Promise<T>, signal: AbortSignal | undefined) {
    this.#owner = owner;
    this.#send = send;
    this.#signal = signal;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal?.addEventListener("abort", this);
    if (signal?.aborted === true) this.handleEvent();
  }

  /** The listener of the signal. */
  handleEvent(): void {
    const outcome = this.#sent ? "unknown" : "not-applied";
    this.fail(
      new ChannelError("ABORTED", "the call was aborted by its signal", { outcome, cause: this.#signal?.reason }),
    );
  }

  get isOver(): boolean {
    return this.#settled;
  }

  expire(): void {
    this.fail(this.#owner.overdue(this.#sent));
  }

  go(): void {
    this.#sent = true;
    this.#send(this.#owner.client).then(
      (value) => {
        this.#settle();
        this.#resolve(value);
      },
      (error: unknown) => this.#onError(error),
    );
  }

  fail(error: ChannelError): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(error);
  }

  #onError(error: unknown): void {
    if (!neverSent(error)) {
      this.fail(this.#owner.explain(error));
      return;
    }
    // ioredis is about to notice that the connection broke: the next connection can send the call.
    this.#sent = false;
    if (!this.#settled) this.#owner.wait(this);
  }

  #settle(): void {
    this.#settled = true;
    this.#signal?.removeEventListener("abort", this);
    this.#owner.forget(this);
  }
}

/** A hint how to start the server on this host if it does not run: on a first try it is often missing. */
function adviceOnStart(client: RedisClient, cause: NodeJS.ErrnoException | undefined): string | undefined {
  if (cause?.code !== "ECONNREFUSED" || isCluster(client) || followsSentinels(client)) return undefined;
  const { host, port, path } = client.options;
  if (path || !["127.0.0.1", "::1", "localhost"].includes(host ?? "")) return undefined;
  const server = port === 6379 ? "redis-server" : `redis-server --port ${port}`;
  return `. To start a server on this host: ${server}, or docker run -p ${port}:6379 redis`;
}

/** A hint if only one of server and client speaks TLS: each waits for the other, or hangs up. */
function adviceOnTls(client: RedisClient, trouble: ChannelError | undefined): string {
  const cause = String(trouble?.cause);
  const options = isCluster(client) ? client.options.redisOptions : client.options;
  if (options?.tls === undefined)
    return /ECONNRESET|EPIPE/.test(cause) ? ". If the server speaks only TLS, the address begins with rediss://" : "";
  const isSilent = trouble === undefined || /ETIMEDOUT|ECONNRESET|EPIPE/.test(cause);
  return isSilent ? ". The address, or the option tls, asks for TLS: does the server speak it?" : "";
}

function closed(outcome: "unknown" | "not-applied" = "not-applied"): ChannelError {
  return new ChannelError("CLOSED", "the channel was closed", { outcome });
}
