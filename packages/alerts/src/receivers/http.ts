import { durationText } from "@ojm/core/backend";
import type { Outcome, SendOptions } from "../deliver/outcome.js";

/** A request to a receiver. */
export interface Post {
  readonly address: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long it may take, in ms. */
  readonly deadline: number;
}

/** Makes a request. Never rejects; `why` has neither the address nor the text of the response. */
export async function post({ address, body, headers, deadline }: Post, options: SendOptions): Promise<Outcome> {
  const late = AbortSignal.timeout(deadline);
  const signal = AbortSignal.any([options.signal, late]);
  try {
    const answer = await fetch(address, { method: "POST", body, headers, signal, redirect: "manual" });
    // The body of the response is not used, and may never end.
    await answer.body?.cancel().catch(() => {});
    return outcomeOf(answer.status, answer.headers.get("retry-after"), options.now);
  } catch (error) {
    if (late.aborted) return { type: "later", why: `no answer within ${durationText(deadline)}` };
    return { type: "later", why: `the request failed${codeOf(error)}` };
  }
}

function outcomeOf(status: number, retryAfter: string | null, now: number): Outcome {
  if (status >= 200 && status < 300) return { type: "taken" };
  if (status === 410) return { type: "gone", why: "the receiver answered 410: it wants no more alerts" };
  if (status >= 300 && status < 400)
    return { type: "refused", why: `it answered ${status}: redirects are not followed` };
  const why = `it answered ${status}`;
  const later = status >= 500 || [408, 425, 429].includes(status);
  if (!later) return { type: "refused", why };
  const after = spanOf(retryAfter, now);
  return after === undefined ? { type: "later", why } : { type: "later", why, after };
}

/** The time in a `Retry-After`: seconds, or a date. */
function spanOf(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  const after = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - now;
  return after > 0 ? after : undefined;
}

/** The code of a network error. Its message may contain the address. */
export function codeOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const known = typeof cause?.code === "string" ? cause.code : code;
  return typeof known === "string" && /^[A-Z][A-Z0-9_]{1,60}$/.test(known) ? ` with ${known}` : "";
}
