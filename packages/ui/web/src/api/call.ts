import { addressOf } from "../app/base.js";
import { hasFirst, takeFirst } from "./first.js";

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

/** Called when the server no longer knows the session. */
export const session: { ended: () => void } = { ended: () => {} };

/** Reads a path of the API. */
export async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  if (hasFirst(path)) return takeFirst(path) as T;
  return await call<T>(path, signal === undefined ? {} : { signal });
}

/** Requests an action. */
export function post<T>(path: string, body: unknown, method: "POST" | "DELETE" = "POST"): Promise<T> {
  return call<T>(path, { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });
}

async function call<T>(path: string, init: RequestInit): Promise<T> {
  const answer = await fetch(addressOf(`api/v1/${path}`), { ...init, credentials: "same-origin" }).catch(
    (error: unknown) => {
      if (init.signal?.aborted === true) throw error;
      throw new ApiError("AWAY", "The server does not answer.", 0);
    },
  );
  const body = (await answer.json().catch(() => undefined)) as
    | T
    | { readonly error?: { code: string; message: string } };
  if (answer.ok && body !== undefined) return body as T;
  const error = (body as { readonly error?: { code: string; message: string } } | undefined)?.error;
  if (answer.status === 401 && path !== "session") session.ended();
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
