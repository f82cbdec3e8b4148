import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { thread } from "../thread.js";

// Keep this URL here: the entry must lie beside this file, and beside the bundle that contains this file.
const ENTRY: URL = new URL("./request-worker.js", import.meta.url);

const LOOK = 100;

let worker: RequestWorkerData | undefined;
let requests = 0;

/**
 * Makes a request, or asks the network a question, and waits for the answer. A second thread does the work:
 * this one is blocked meanwhile.
 */
export function send(request: HttpRequest): HttpResponse;
export function send(question: NetQuestion): string | number;
export function send(work: Work): HttpResponse | string | number {
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

export interface RequestWorkerData {
  readonly port: MessagePort;
  /** Its only word is the number of the last answered request. */
  readonly signal: Int32Array;
}

export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** A file that is sent as a form. */
  readonly upload?: { readonly name: string; readonly path: string } | undefined;
  readonly timeout?: number | undefined;
  readonly followRedirects?: boolean | undefined;
}

/** A question to the network. */
export type NetQuestion =
  | { readonly ask: "latency"; readonly host: string; readonly port: number; readonly timeout: number }
  | { readonly ask: "address"; readonly host: string }
  | { readonly ask: "name"; readonly address: string }
  | { readonly ask: "free port" };

export type Work = HttpRequest | NetQuestion;

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Answer {
  readonly id: number;
  readonly result?: HttpResponse | string | number;
  readonly failure?: string;
}
