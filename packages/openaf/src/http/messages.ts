import type { MessagePort } from "node:worker_threads";

/** What the thread that makes requests is started with. */
export interface RequestWorkerData {
  readonly port: MessagePort;
  /** Its only word is the number of the last request that was answered. */
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
  /** A port of this machine that nobody uses. */
  | { readonly ask: "free port" };

/** What the thread does for a script. */
export type Work = HttpRequest | NetQuestion;

/** What a server answered. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What became of a request or a question. */
export interface Answer {
  readonly id: number;
  readonly result?: HttpResponse | string | number;
  /** Why there is no result. */
  readonly failure?: string;
}
