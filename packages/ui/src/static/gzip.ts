import { promisify } from "node:util";
import { gzip } from "node:zlib";

const zip = promisify(gzip);

/** An answer shorter than this, in bytes, fits into one packet uncompressed. */
const WORTH = 1_024;

/** Whether the client accepts gzip. `gzip;q=0` rejects it. */
export const takesGzip = (request: Request): boolean =>
  /(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))\s*(?:[;,]|$)/i.test(request.headers.get("Accept-Encoding") ?? "");

/**
 * Compresses an answer with gzip if it is JSON, long, and not compressed yet. Streams stay uncompressed:
 * their events must not wait for more. A server around this one does not compress an answer with a
 * `Content-Encoding`.
 *
 * The length of a compressed answer can reveal a secret in it (BREACH) to an attacker who makes a browser
 * send many requests with guesses, and sees the lengths. Another site cannot get a request answered here
 * (`checkOrigin`, and the cookie is `SameSite=Strict`), and no answer's body contains the keys of this
 * server, the launch token or the session.
 */
export async function zipped(request: Request, response: Response): Promise<Response> {
  const { headers, status } = response;
  const isPlain = headers.get("Content-Type") === "application/json" && !headers.has("Content-Encoding");
  if (!isPlain || response.body === null) return response;
  headers.append("Vary", "Accept-Encoding");
  if (!takesGzip(request)) return response;
  const body = new Uint8Array(await response.arrayBuffer());
  if (body.length < WORTH) return new Response(body, { status, headers });
  headers.set("Content-Encoding", "gzip");
  return new Response(new Uint8Array(await zip(body)), { status, headers });
}
