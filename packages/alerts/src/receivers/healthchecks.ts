import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Outcome, SendOptions } from "../deliver/outcome.js";
import type { Alert } from "../types.js";
import { post } from "./http.js";
import { HTTP_DEADLINE } from "./webhook.js";

/** The number of tries, the deadline of each, and the pause between two, in ms. */
const TRIES = 3;
const TRY = 5_000;
const PAUSE = 1_000;

/** Options of {@link ping}. */
export interface PingOptions {
  /** A short text that the check shows. Default: none. */
  readonly body?: string;
  /** Once it fires, no further try starts. A try in flight is still awaited. */
  readonly signal?: AbortSignal;
}

/**
 * Pings a check of healthchecks.io, or of a compatible program, at once: a job started, or it ended with this
 * exit status; 0 is a success. Unlike the alerts of a rule, nothing is stored: a ping that is not taken after
 * three tries of 5 s at most is given up.
 *
 * Never rejects. Resolves to the reason why the ping was not taken, without the address, which is a secret;
 * to `undefined` if it was taken.
 *
 * @see https://healthchecks.io/docs/http_api/
 * @example
 * const why = await ping("https://hc-ping.com/…", 3, { body: "the disk is full" });
 */
export async function ping(
  check: string,
  what: "start" | number,
  { body = "", signal }: PingOptions = {},
): Promise<string | undefined> {
  const address = addressOf(check, what === 0 ? "" : `/${what}`).href;
  const request = { address, body, headers: { "content-type": TEXT }, deadline: TRY };
  for (let left = TRIES - 1; ; left--) {
    const outcome = await post(request, { signal: new AbortController().signal, now: Date.now() });
    if (outcome.type === "taken") return undefined;
    if (outcome.type !== "later" || left === 0) return outcome.why;
    await pause(PAUSE, undefined, signal && { signal }).catch(() => {});
    if (signal?.aborted) return outcome.why;
  }
}

/** A check may have a query, such as `create=1`. */
function addressOf(check: string, endpoint: string): URL {
  const url = new URL(check);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}${endpoint}`;
  return url;
}

const TEXT = "text/plain; charset=utf-8";

/**
 * Pings a check: its start, its success, or its failure with the error and the last lines of the log. The id
 * of the run lets the check match a start to its end.
 *
 * @see https://healthchecks.io/docs/http_api/
 */
export async function sendHealthchecks(
  { healthchecks, deadline = HTTP_DEADLINE }: { readonly healthchecks: string; readonly deadline?: number },
  alert: Alert,
  options: SendOptions,
): Promise<Outcome> {
  const { run: about = alert.name } = alert;
  const url = addressOf(healthchecks, endpoint(alert));
  url.searchParams.set("rid", uuidOf(about));
  const failed = endpoint(alert) === "/fail";
  const tail = failed && alert.run !== undefined ? await options.logTail?.(alert.run) : undefined;
  const lines = [`${about} ${alert.status}`, alert.error, ...(tail ? ["", tail] : [])];
  const body = lines.filter((line) => line !== undefined).join("\n");
  return post({ address: url.href, body, headers: { "content-type": TEXT }, deadline }, options);
}

function endpoint({ kind }: Alert): string {
  if (kind === "started") return "/start";
  return kind === "completed" ? "" : "/fail";
}

/** A UUID of version 8, made of a hash: the check accepts only UUIDs. */
function uuidOf(run: string): string {
  const bytes = createHash("sha256").update(run).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
