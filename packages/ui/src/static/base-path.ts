import type { RequestSource, ViewOptions } from "../types.js";

/** A path of plain segments: it is written into HTML and cookies. */
const PLAIN = /^(\/[A-Za-z0-9._~-]+)*$/;

/** Where the UI is mounted, with a slash at the end, and the path of the request below that. */
export interface Place {
  readonly base: string;
  readonly path: string;
}

/** The base and the path of a request. A server or proxy in front may have removed the base path. */
export function placeOf(
  request: Request,
  { basePath, trustProxy = false }: Pick<ViewOptions, "basePath" | "trustProxy">,
  { prefix }: RequestSource,
): Place {
  const path = new URL(request.url).pathname;
  const forwarded = trustProxy ? plain(request.headers.get("X-Forwarded-Prefix") ?? undefined) : undefined;
  const base = plain(basePath) ?? forwarded ?? plain(prefix) ?? "";
  const isWhole = base !== "" && prefix === undefined && (path === base || path.startsWith(`${base}/`));
  return { base: `${base}/`, path: isWhole ? path.slice(base.length) || "/" : path };
}

/** A base path without a slash at its end; `undefined` if it is not valid. */
export function plain(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  // A regular expression for trailing slashes would take quadratic time if slashes are elsewhere.
  let end = path.length;
  while (path[end - 1] === "/") end--;
  const trimmed = path.slice(0, end);
  return PLAIN.test(trimmed) ? trimmed : undefined;
}
