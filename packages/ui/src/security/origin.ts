import type { ViewOptions } from "../types.js";
import { Refusal } from "./refusal.js";

/** The names of this machine, by which only its own programs reach it. */
const OWN: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** A name or an address, and a port. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i;

type Trust = Pick<ViewOptions, "hosts" | "trustProxy">;

/**
 * Rejects a request whose `Host` is not known. Otherwise another site could point its name to this machine
 * and read everything: DNS rebinding.
 *
 * @see https://github.com/advisories/GHSA-vg6x-rcgg-rjx6
 */
export function checkHost(request: Request, trust: Trust): void {
  const host = hostOf(request, trust);
  const [, name = ""] = HOST.exec(host) ?? [];
  if ([...OWN, ...(trust.hosts ?? [])].some((known) => known.toLowerCase() === name.toLowerCase())) return;
  throw new Refusal("FORBIDDEN", `the host "${host.slice(0, 100)}" is not known here: add it to the option "hosts"`);
}

/** Whether the request comes from a page of another site. `none`: the user typed the address. */
export function isForeign(request: Request): boolean {
  const site = request.headers.get("Sec-Fetch-Site");
  return site !== null && site !== "same-origin" && site !== "none";
}

/** A request that changes something must come from a page of this server, as JSON. */
export function checkOrigin(request: Request, trust: Trust): void {
  if (request.method === "GET" || request.method === "HEAD") {
    if (!isForeign(request)) return;
    throw new Refusal("FORBIDDEN", "this request comes from a page of another site: open the address of the UI itself");
  }
  if (request.headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    throw new Refusal("INVALID", `${request.method} needs the Content-Type application/json`);
  }
  const site = request.headers.get("Sec-Fetch-Site");
  const isOwn = site === null ? request.headers.get("Origin") === originOf(request, trust) : site === "same-origin";
  if (isOwn) return;
  const how = `a program sends the header "Origin: ${originOf(request, trust)}"`;
  throw new Refusal("FORBIDDEN", `this request comes from a page of another site, or does not say from where: ${how}`);
}

/** An address that only programs of this machine have. */
const LOOPBACK = /^(?:::ffff:)?127(?:\.\d{1,3}){3}$|^::1$/i;

/** Headers that a proxy adds: the program behind it is then not the client. */
const FORWARDED: readonly string[] = [
  "Forwarded",
  "Via",
  "X-Forwarded-For",
  "X-Forwarded-Host",
  "X-Forwarded-Proto",
  "X-Real-IP",
];

/** Whether the client is a program of this machine that uses a name of this machine, without a proxy. */
export function isLocal(request: Request, address: string | undefined): boolean {
  const [, name = ""] = HOST.exec(request.headers.get("Host") ?? "") ?? [];
  return (
    address !== undefined &&
    LOOPBACK.test(address) &&
    OWN.includes(name.toLowerCase()) &&
    FORWARDED.every((header) => !request.headers.has(header))
  );
}

function hostOf(request: Request, trust: Trust): string {
  // The URL always has a host: it must not replace a missing header.
  return forwarded(request, trust, "Host") ?? request.headers.get("Host") ?? "";
}

/** The origin of this server as the browser sees it. */
function originOf(request: Request, trust: Trust): string {
  const proto = forwarded(request, trust, "Proto") ?? new URL(request.url).protocol.slice(0, -1);
  return `${proto}://${hostOf(request, trust)}`;
}

/** Whether the browser reaches this server by https. */
export function isSecure(request: Request, trust: Trust): boolean {
  return originOf(request, trust).startsWith("https:");
}

/** The address of the client, for the audit. */
export function addressOf(request: Request, trust: Trust, address: string | undefined): string {
  return forwarded(request, trust, "For") ?? address ?? "an unknown address";
}

/** What a trusted proxy reports. Proxies append: only the last value does not come from the client. */
function forwarded(request: Request, { trustProxy }: Trust, what: "Host" | "Proto" | "For"): string | undefined {
  const header = trustProxy === true ? request.headers.get(`X-Forwarded-${what}`) : null;
  const value = header?.split(",").at(-1)?.trim();
  return value === undefined || value === "" ? undefined : value.slice(0, 255);
}
