import { createHash } from "node:crypto";

const POLICY = "default-src 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'none'; form-action 'self'";

/** The policy of a page that has one inline style. Any other style or script in it is not obeyed. */
export const policyWithStyle = (style: string): string =>
  `${POLICY}; style-src 'self' 'sha256-${createHash("sha256").update(style).digest("base64")}'`;

/**
 * What every answer says to the browser: pages take nothing from other hosts, are in no frame, and tell
 * nobody where they are.
 */
const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": POLICY,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
};

/** The same answer with the headers that every answer has. A page may say more than they do. */
export function secured(response: Response): Response {
  for (const [name, value] of Object.entries(HEADERS)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  if (!response.headers.has("Cache-Control")) response.headers.set("Cache-Control", "no-store");
  return response;
}
