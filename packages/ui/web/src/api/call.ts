import { addressOf } from "../app/base.js";
import { signedOut, signInBy } from "../app/me.js";
import type { ErrorBody } from "./types.js";

/** Why a call failed. */
export class ApiError extends Error {
  /** `AWAY`: the server did not answer. Otherwise the code of the server. */
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }

  /** Whether the store or the server is away, so that another try makes sense. */
  get isAway(): boolean {
    return this.code === "AWAY" || this.status === 503;
  }
}

/** The answers that came with the page. */
const answers = new Map(Object.entries(readBlock()));
const came = new WeakSet(answers.values());

/** The block is incomplete if the server died while it sent the page: then all answers are requested. */
function readBlock(): Readonly<Record<string, object>> {
  const block = document.getElementById("first");
  block?.remove();
  try {
    return JSON.parse(block?.textContent ?? "{}");
  } catch {
    return {};
  }
}

/** Whether the answer to a path came with the page, and was not taken yet. */
export const hasFirst = (path: string): boolean => answers.has(path);

/** From now on, every answer is requested: what came with the page may be outdated. */
export function forgetFirst(): void {
  answers.clear();
}

/** The age of an answer, in ms. An answer that came with the page has waited for the program. */
export function ageOf(answer: object): number {
  const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return came.has(answer) && page !== undefined ? performance.now() - page.responseStart : 0;
}

/** Reads a path of the API. */
export async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  const first = answers.get(path);
  // Once: the next one is requested.
  answers.delete(path);
  return (first as T | undefined) ?? (await call<T>(path, signal === undefined ? {} : { signal }));
}

/** Requests an action. */
export function post<T>(path: string, body: unknown): Promise<T> {
  return call<T>(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
}

/** Deletes something, such as the session. */
export function drop(path: string): Promise<object> {
  return call(path, { method: "DELETE", headers: { "content-type": "application/json" } });
}

async function call<T>(path: string, init: RequestInit): Promise<T> {
  const answer = await fetch(addressOf(`api/v1/${path}`), { ...init, credentials: "same-origin" }).catch(
    (error: unknown) => {
      if (init.signal?.aborted === true) throw error;
      throw new ApiError("AWAY", "The server does not answer.", 0);
    },
  );
  const body = (await answer.json().catch(() => undefined)) as T | Partial<ErrorBody> | undefined;
  if (answer.ok && body !== undefined) return body as T;
  const error = (body as Partial<ErrorBody> | undefined)?.error;
  if (answer.status === 401 && path !== "session") {
    // A page that is removed gives up its calls: an answer without its body says nothing of how to sign in.
    if (error !== undefined) signInBy.value = error.signIn;
    signedOut.value = true;
  }
  // A proxy answers for a server that is away, with a page of its own.
  const code = error?.code ?? (answer.status >= 502 ? "AWAY" : "ANSWER");
  throw new ApiError(code, error?.message ?? `The server answered ${answer.status}.`, answer.status);
}

/** A query string of the fields that are set. */
export function queryOf(fields: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "");
  const query = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return query === "" ? "" : `?${query}`;
}
