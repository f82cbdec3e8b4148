import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { thread } from "../thread.js";
import type { Answer, HttpRequest, HttpResponse, NetQuestion, RequestWorkerData, Work } from "./messages.js";

// Keep this URL here: the entry must lie beside this file, and beside the bundle that contains this file.
const ENTRY: URL = new URL("./request-worker.js", import.meta.url);

/** How often a script that waits looks whether its job is asked to stop, in ms. */
const LOOK = 100;

let worker: RequestWorkerData | undefined;
let requests = 0;

/** Makes a request and waits for its answer. A second thread does the work: this one is blocked meanwhile. */
export function send(request: HttpRequest): HttpResponse {
  return resultOf(request) as HttpResponse;
}

/** Asks the network, and waits for the answer, as {@link send} does. */
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
    // Read before the look: an answer in between changes the value, so that the wait ends at once.
    const seen = Atomics.load(signal, 0);
    const received = receiveMessageOnPort(port) as { message: Answer } | undefined;
    if (received?.message.id === id) return received.message;
    // The answer to a request that a stop has given up.
    if (received !== undefined) continue;
    // It throws if the job is asked to stop.
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
