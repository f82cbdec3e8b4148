import { lookup, lookupService } from "node:dns/promises";
import { once } from "node:events";
import { openAsBlob } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { basename } from "node:path";
import { workerData } from "node:worker_threads";
import type { Answer, HttpRequest, HttpResponse, NetQuestion, RequestWorkerData, Work } from "./requests.js";

/* The entry of the thread that makes requests for a script. The script waits for the answers. */

const { port, signal } = workerData as RequestWorkerData;

port.on("message", ({ id, work }: { readonly id: number; readonly work: Work }) => {
  void answer(id, work);
});

async function answer(id: number, work: Work): Promise<void> {
  let answer: Answer;
  try {
    answer = { id, result: "ask" in work ? await answerTo(work) : await send(work) };
  } catch (error) {
    answer = { id, failure: reasonOf(error) };
  }
  port.postMessage(answer);
  Atomics.store(signal, 0, id);
  Atomics.notify(signal, 0);
}

async function send(request: HttpRequest): Promise<HttpResponse> {
  const { url, method, headers, body, upload, timeout, followRedirects } = request;
  const response = await fetch(url, {
    method,
    headers,
    redirect: followRedirects === false ? "manual" : "follow",
    ...(body !== undefined && { body }),
    ...(upload !== undefined && { body: await formOf(upload) }),
    ...(timeout !== undefined && { signal: AbortSignal.timeout(timeout) }),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: Object.fromEntries(response.headers), body: bytes };
}

async function formOf({ name, path }: { readonly name: string; readonly path: string }): Promise<FormData> {
  const form = new FormData();
  form.set(name, await openAsBlob(path), basename(path));
  return form;
}

/** The reason of a failed `fetch`, whose own message does not name it. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === "TimeoutError") return "the server did not answer in time";
  const reason = cause instanceof AggregateError ? cause.errors[0] : cause;
  return reason instanceof Error ? reason.message : message;
}

/** Answers a question to the network. */
async function answerTo(question: NetQuestion): Promise<string | number> {
  if (question.ask === "latency") return latency(question);
  if (question.ask === "address") return (await lookup(question.host)).address;
  // The port is not part of the name.
  if (question.ask === "name") return (await lookupService(question.address, 0)).hostname;
  return freePort();
}

async function latency({ host, port, timeout }: NetQuestion & { readonly ask: "latency" }): Promise<number> {
  const began = performance.now();
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(timeout) });
    return Math.round(performance.now() - began);
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
