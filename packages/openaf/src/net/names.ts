import { isIP } from "node:net";

/** Whether a text is a URL of the web or of FTP. */
export function isURL(text: unknown): boolean {
  return typeof text === "string" && URL.canParse(text) && /^(https?|ftp):/i.test(text);
}

/** Whether a text may be the name or the address of a host. */
export function isHost(text: unknown): boolean {
  return isIP(String(text)) > 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(String(text));
}
