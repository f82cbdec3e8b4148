import { createHash } from "node:crypto";

const POLICY = "default-src 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'none'; form-action 'self'";

/** The policy of a page with one inline style. The browser rejects any other inline style or script in it. */
export const policyWithStyle = (style: string): string =>
  `${POLICY}; style-src 'self' 'sha256-${createHash("sha256").update(style).digest("base64")}'`;

/** The headers of every answer: pages load only from this host, cannot be framed, and send no referrer. */
const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": POLICY,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
};

/** Adds the headers that every answer has. A page may set them itself. */
export function secured(response: Response): Response {
  for (const [name, value] of Object.entries(HEADERS)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  if (!response.headers.has("Cache-Control")) response.headers.set("Cache-Control", "no-store");
  return response;
}
