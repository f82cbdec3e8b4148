import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { thread } from "../thread.js";

// Keep this URL here: the entry must lie beside this file, and beside the bundle that contains this file.
const ENTRY: URL = new URL("./request-worker.js", import.meta.url);

/** How often a waiting script checks whether its job is asked to stop, in ms. */
const LOOK = 100;

let worker: RequestWorkerData | undefined;
let requests = 0;

/** Makes a request and waits for its answer. A second thread does the work: this one is blocked meanwhile. */
export function send(request: HttpRequest): HttpResponse {
  return resultOf(request) as HttpResponse;
}

/** Sends a question to the network and waits for the answer, like {@link send}. */
export function askNetwork(question: NetQuestion): string | number {
  return resultOf(question) as string | number;
}

function resultOf(work: Work): Answer["result"] {
  worker ??= start();
  const { port, signal } = worker;
  const id = ++requests;
  port.postMessage({ id, work });
  const answer = awaitAnswer(id, port, signal);
  if (answer.result === undefined) throw new Error(answer.failure);
  return answer.result;
}

function awaitAnswer(id: number, port: MessagePort, signal: Int32Array): Answer {
  for (;;) {
    // Read it before checking for an answer: one that arrives in between changes the value, so that the wait
    // ends at once.
    const seen = Atomics.load(signal, 0);
    const received = receiveMessageOnPort(port) as { message: Answer } | undefined;
    if (received?.message.id === id) return received.message;
    // The answer to a request that was given up because of a stop.
    if (received !== undefined) continue;
    // Throws if the job is asked to stop.
    if (Atomics.wait(signal, 0, seen, LOOK) === "timed-out") thread.sleep(0);
  }
}

function start(): RequestWorkerData {
  const { port1, port2 } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const workerData: RequestWorkerData = { port: port2, signal };
  // It ends with the thread of the script, and never keeps it alive.
  new Worker(ENTRY, { workerData, transferList: [port2], name: "requests" }).unref();
  return { port: port1, signal };
}

/** The data with which the thread of requests starts. */
export interface RequestWorkerData {
  readonly port: MessagePort;
  /** Its only word is the number of the last answered request. */
  readonly signal: Int32Array;
}

/** A request, to the thread that makes it. */
export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** A file that is sent as a form. */
  readonly upload?: { readonly name: string; readonly path: string } | undefined;
  /** How long it may take, in ms. */
  readonly timeout?: number | undefined;
  readonly followRedirects?: boolean | undefined;
}

/** A question to the network. */
export type NetQuestion =
  /** How long it takes to connect to a port, in ms. */
  | { readonly ask: "latency"; readonly host: string; readonly port: number; readonly timeout: number }
  /** The address of a name. */
  | { readonly ask: "address"; readonly host: string }
  /** The name of an address. */
  | { readonly ask: "name"; readonly address: string }
  /** A port of this machine that is free. */
  | { readonly ask: "free port" };

/** A task of the thread for a script. */
export type Work = HttpRequest | NetQuestion;

/** The answer of a server. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The outcome of a request or a question. */
export interface Answer {
  readonly id: number;
  readonly result?: HttpResponse | string | number;
  /** The reason of a failure. */
  readonly failure?: string;
}
