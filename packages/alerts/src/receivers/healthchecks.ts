import { createHash } from "node:crypto";
import type { Outcome, SendOptions } from "../deliver/outcome.js";
import type { Alert } from "../types.js";
import { post } from "./http.js";
import { HTTP_DEADLINE } from "./webhook.js";

/**
 * Pings a check: its start, its success, or its failure with the error and the last lines of the log. The id
 * of the run tells the check which start belongs to which end.
 *
 * @see https://healthchecks.io/docs/http_api/
 */
export async function sendHealthchecks(
  { healthchecks, deadline = HTTP_DEADLINE }: { readonly healthchecks: string; readonly deadline?: number },
  alert: Alert,
  options: SendOptions,
): Promise<Outcome> {
  const { run: about = alert.name } = alert;
  const url = new URL(healthchecks);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}${endpoint(alert)}`;
  url.searchParams.set("rid", uuidOf(about));
  const failed = endpoint(alert) === "/fail";
  const tail = failed && alert.run !== undefined ? await options.logTail?.(alert.run) : undefined;
  const lines = [`${about} ${alert.status}`, alert.error, ...(tail ? ["", tail] : [])];
  const body = lines.filter((line) => line !== undefined).join("\n");
  return post({ address: url.href, body, headers: { "content-type": "text/plain; charset=utf-8" }, deadline }, options);
}

function endpoint({ kind }: Alert): string {
  if (kind === "started") return "/start";
  return kind === "completed" ? "" : "/fail";
}

/** A UUID of version 8, made of a hash: the check takes no other ids. */
function uuidOf(run: string): string {
  const bytes = createHash("sha256").update(run).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
