import { createHmac } from "node:crypto";
import type { InMs } from "@ojm/core/internal";
import type { Outcome, SendOptions } from "../deliver/outcome.js";
import type { Alert, WebhookReceiver } from "../types.js";
import { post } from "./http.js";

export const HTTP_DEADLINE = 10_000;

/**
 * Posts an alert in the format of Standard Webhooks.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function sendWebhook(to: InMs<WebhookReceiver>, alert: Alert, options: SendOptions): Promise<Outcome> {
  const { webhook: address, secret, deadline = HTTP_DEADLINE } = to;
  const { kind, started, ended = started, tick = options.now } = alert;
  const timestamp = new Date((kind === "started" ? started : ended) ?? tick).toISOString();
  const body = JSON.stringify({ type: `run.${kind}`, timestamp, data: alert });
  const headers = { "content-type": "application/json", ...signed(alert.id, body, secret, options.now) };
  return post({ address, body, headers, deadline }, options);
}

/** The headers of a delivery: the id of the alert, the time of the attempt, and the signature. */
function signed(id: string, body: string, secret: string | undefined, now: number): Record<string, string> {
  const seconds = String(Math.floor(now / 1_000));
  const named = { "webhook-id": id, "webhook-timestamp": seconds };
  if (secret === undefined) return named;
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return { ...named, "webhook-signature": `v1,${signature}` };
}
