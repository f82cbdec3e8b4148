import { isAbsolute, resolve } from "node:path";
import type { JobManagerOptions, OpenOptions } from "@ojm/core";
import { CommandError } from "../errors.js";

/** Where jobs, locks and logs are. */
export interface Location {
  readonly jobs: OpenOptions;
  readonly locks: OpenOptions;
  readonly logs?: OpenOptions;
  /** The file that a store is in, if it is one: a command that only looks does not make it. */
  readonly files: readonly string[];
  /** Whether the path was written relative to a folder. */
  readonly isRelative?: boolean;
  /** Which records the store keeps, where a config file says so. */
  readonly retention?: NonNullable<JobManagerOptions["retention"]>;
  /** The place in a config file, or the variable, that names it: errors begin with it. */
  readonly where?: string;
}

/** A job file that sets up a job manager. */
export interface JobFileLocation {
  readonly jobFile: string;
}

/** How a store is written. */
export const FORMS = "redis://HOST, sqlite:FILE, etcd://HOST,HOST, level:FOLDER or a job file";

/** Reads where a store is, as people write it. Relative paths begin at `folder`. */
export function locate(text: string, folder: string): Location | JobFileLocation {
  if (/\.(ya?ml|json)$/.test(text)) return { jobFile: resolve(folder, text) };
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+]*):(.*)$/is.exec(text) ?? [];
  if (rest === "") throw new CommandError(`the store "${shown(text)}" is not understood: write ${FORMS}`);
  switch (scheme.toLowerCase()) {
    case "redis":
    case "rediss":
      return both({ type: "redis", args: { url: text } });
    case "sqlite":
      return onDisk("sqlite", "file", folder, withoutSlashes(rest));
    case "level":
      return onDisk("level", "path", folder, withoutSlashes(rest));
    case "etcd":
    case "etcds":
      return both({ type: "etcd", args: etcdArgs(rest, scheme.toLowerCase() === "etcds") });
    default:
      throw new CommandError(`there is no kind of store "${scheme}": write ${FORMS}`);
  }
}

/** The same store for jobs, locks and logs. */
function both(options: OpenOptions, files: readonly string[] = []): Location {
  return { jobs: options, locks: options, files };
}

function onDisk(type: string, option: string, folder: string, written: string): Location {
  const path = resolve(folder, written);
  return { ...both({ type, args: { [option]: path } }, [path]), isRelative: !isAbsolute(written) };
}

/** `sqlite:data/ojm.db`, `sqlite:/data/ojm.db` and `sqlite:///data/ojm.db` are all written. */
function withoutSlashes(path: string): string {
  return path.replace(/^\/\/(?=.)/, "");
}

/** Reads `//user:password@host:port,host:port/prefix`. */
function etcdArgs(rest: string, tls: boolean): Readonly<Record<string, unknown>> {
  const [, user, password, hosts = "", prefix] = /^\/\/(?:([^:@/]*):([^@/]*)@)?([^/]+)(?:\/(.*))?$/.exec(rest) ?? [];
  if (hosts === "") throw new CommandError("an etcd store is written as etcd://HOST:PORT,HOST:PORT");
  // What stands before the last @ may be a part of a password: it must not be taken for a host, and shown.
  if (`${hosts}${prefix ?? ""}`.includes("@"))
    throw new CommandError("the etcd store has a / or an @ in its user or password: write them as %2F and %40");
  if (!hosts.split(",").every((host) => /^(?:\[[^\]]*\]|[^:]*)(?::\d+)?$/.test(host)))
    throw new CommandError("an etcd store is written as etcd://HOST:PORT,HOST:PORT: a port of it is no number");
  if (/[?#]/.test(`${hosts}${prefix ?? ""}`)) {
    const instead = "Other options stand in a config file, as the args of the store";
    throw new CommandError(`the etcd store has a query or a #: it takes none. ${instead}`);
  }
  return {
    hosts: hosts.split(",").map((host) => `${tls ? "https://" : ""}${host.includes(":") ? host : `${host}:2379`}`),
    ...(prefix !== undefined && prefix !== "" && { keyPrefix: prefix }),
    ...(user !== undefined && {
      auth: { username: decoded(user), password: decoded(password ?? "") },
    }),
  };
}

/** Decodes a user or a password of a URL. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new CommandError("the user or the password of the store has a % that is no escape: write it as %25");
  }
}

/** A store as it may be shown: without its password, also if a part of the address was forgotten. */
export function shown(text: string): string {
  return text.replace(/:(?!\/\/).*@/s, ":***@");
}
