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

/** What a server answered. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What became of a request. */
export interface HttpAnswer {
  readonly id: number;
  readonly response?: HttpResponse;
  /** Why there is no response. */
  readonly failure?: string;
}
