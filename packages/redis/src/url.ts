import { ChannelError } from "@ojm/core/backend";

const FORM = "redis://host:6379/0, with TLS rediss://host:6379/0";
const THIRD = "redis://host:6379/3";

/** The options of this backend that users write as a query. */
const BESIDE = ["username", "password", "tls", "keyPrefix", "deadline", "connectTimeout"];

/**
 * Checks the address of a server. ioredis reads each query parameter of a URL as an option, even as one of
 * those that keep a command from being sent twice, and drops unknown ones.
 *
 * @throws ChannelError `INVALID_CONFIG`. Its message shows no value: that may be a password
 */
export function refuseWrongUrl(url: unknown): asserts url is string {
  if (typeof url !== "string" || !/^rediss?:\/\//.test(url)) throw invalid(`"url" is of the form ${FORM}`);
  const port = wrongPort(url);
  if (port !== undefined) throw invalid(`"url" has the port ${port}: a port is a number from 1 to 65535`);
  if (/^rediss?:\/\/[^@]*[/?#].*@/.test(url))
    throw invalid(`"url" has a /, ? or # before its @: in a user or a password, write them as %2F, %3F and %23`);
  if (!URL.canParse(url)) throw invalid(`"url" is of the form ${FORM}`);
  if (!isDecodable(url))
    throw invalid(`"url" has a user or a password with a % that is not an escape: write it as %25`);
  const read = new URL(url);
  if (read.hostname === "") {
    throw invalid(`"url" has no host: it is of the form ${FORM}. A Unix socket is given by the option "path"`);
  }
  refuseQuery(read);
  if (read.hash !== "") throw invalid(`"url" has a #: in a user or a password, write it as %23`);
  if (!/^\/?\d*$/.test(read.pathname)) {
    throw invalid(`"url" has the database "${read.pathname.slice(1)}": a database is a number, as in ${THIRD}`);
  }
}

/** Refuses a query that would be ignored, or would change what this backend relies on. */
export function refuseQuery({ searchParams }: URL): void {
  for (const [name, value] of searchParams) {
    const query = `"url" has the query "${name}"`;
    if (name === "db") throw invalid(`${query}: a database is given as the path, as in ${THIRD}`);
    if (BESIDE.includes(name)) throw invalid(`${query}: give it as an option beside "url"`);
    if (name !== "family") throw invalid(`${query}: it takes none but "family". A database is given as in ${THIRD}`);
    if (!["0", "4", "6"].includes(value)) throw invalid(`${query}: it is 0, 4 or 6`);
  }
}

/** The host and port of a URL, without its secrets. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url.replace(/^.*@/, "");
}

/** The error for a wrong option. */
export function invalid(what: string): ChannelError {
  return new ChannelError("INVALID_CONFIG", `channel type "redis": ${what}`);
}

/** The port of an address, if it is a number but not a port. Other text may be part of a password. */
function wrongPort(url: string): string | undefined {
  const [, port] = /^rediss?:\/\/(?:[^/?#]*@)?[^/?#@]*:(\d+)(?:[/?#]|$)/.exec(url) ?? [];
  return port !== undefined && (Number(port) > 65_535 || Number(port) === 0) ? port : undefined;
}

/** Whether ioredis can decode the user and the password of a URL. */
function isDecodable(url: string): boolean {
  try {
    const { username, password } = new URL(url);
    decodeURIComponent(`${username}${password}`);
    return true;
  } catch {
    return false;
  }
}
