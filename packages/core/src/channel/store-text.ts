import { basename, isAbsolute, resolve } from "node:path";
import { MASK, maskUrls } from "../util/text.js";
import { ChannelError } from "./errors.js";
import type { ChannelConfig } from "./types.js";

/* A store as a text: `sqlite:FILE`, `redis://HOST`. The same everywhere: programs, CLI, UI, config. */

/** The types that ojm publishes, as `@ojm/TYPE`: how a store is written, and which option is its path. */
const TYPES: Readonly<Record<string, { readonly form?: string; readonly path?: string }>> = {
  simple: {},
  redis: { form: "redis://HOST" },
  sqlite: { form: "sqlite:FILE", path: "file" },
  etcd: { form: "etcd://HOST,HOST" },
  postgres: { form: "postgres://HOST/DATABASE" },
  level: { form: "level:FOLDER", path: "path" },
};

/** Another name of a type. */
export const ALIASES: ReadonlyMap<string, string> = new Map([["db", "sqlite"]]);

export const PUBLISHED: readonly string[] = Object.keys(TYPES);

/** The forms of a store, for an error message. `last`: one more form that the caller accepts. */
export function storeForms(last = "memory:"): string {
  const forms = Object.values(TYPES).flatMap(({ form }) => form ?? []);
  return `${forms.join(", ")} or ${last}`;
}

type Args = NonNullable<ChannelConfig["args"]>;

/** A store and its place on the disk of this machine. */
export interface PlacedStore {
  readonly store: ChannelConfig & Required<Pick<ChannelConfig, "type">>;
  /** The file or folder of the store, if it has one. */
  readonly path?: string;
  /** Whether that path was written relative to a folder. */
  readonly isRelative?: boolean;
}

/**
 * Parses the text of a store. A relative path is resolved against `folder`. `forms`: the accepted forms, for
 * the error message.
 *
 * @throws ChannelError `INVALID_CONFIG`. Its message never contains a password
 */
export function parseStore(text: string, folder: string = process.cwd(), forms: string = storeForms()): PlacedStore {
  const [, written = "", rest = ""] = /^([a-z][a-z0-9+]*):(.*)$/is.exec(text) ?? [];
  const scheme = written.toLowerCase();
  if (scheme === "memory" && rest === "") return { store: { type: "simple" } };
  if (rest === "") return refuse(`the store "${shownStore(text)}" is not understood: write ${forms}`);
  switch (scheme) {
    case "redis":
    case "rediss":
      return { store: { type: "redis", args: { url: text } } };
    case "sqlite":
    case "level":
      // Users write `sqlite:data/ojm.db`, `sqlite:/data/ojm.db` and `sqlite:///data/ojm.db`.
      return placedStore(
        { type: scheme, args: { [TYPES[scheme]?.path ?? ""]: rest.replace(/^\/\/(?=.)/, "") } },
        folder,
      );
    case "postgres":
    case "postgresql":
      return { store: { type: "postgres", args: { url: text } } };
    case "etcd":
    case "etcds":
      return { store: { type: "etcd", args: etcdArgs(rest, scheme === "etcds") } };
    case "memory":
      return refuse(`the store "${shownStore(text)}" is not understood: the store in memory is written as memory:`);
    default:
      return refuse(`there is no kind of store "${written}": write ${forms}`);
  }
}

function refuse(message: string): never {
  throw new ChannelError("INVALID_CONFIG", message);
}

/** A store whose relative path is resolved against `folder`. */
export function placedStore(store: PlacedStore["store"], folder: string): PlacedStore {
  const { type, args = {} } = store;
  const known = ALIASES.get(type) ?? type;
  const option = Object.hasOwn(TYPES, known) ? TYPES[known]?.path : undefined;
  const written = option === undefined ? undefined : args[option];
  if (option === undefined || typeof written !== "string" || written.startsWith(":")) return { store };
  const path = resolve(folder, written);
  return { store: { ...store, args: { ...args, [option]: path } }, path, isRelative: !isAbsolute(written) };
}

/** Reads `//user:password@host:port,host:port/prefix`. */
function etcdArgs(rest: string, tls: boolean): Args {
  const [, user, password, hosts = "", prefix] = /^\/\/(?:([^:@/]*):([^@/]*)@)?([^/]+)(?:\/(.*))?$/.exec(rest) ?? [];
  if (hosts === "") return refuse("an etcd store is written as etcd://HOST:PORT,HOST:PORT");
  // Hosts are shown in messages: text before the last @ may be part of a password, and is not a host.
  if (`${hosts}${prefix ?? ""}`.includes("@"))
    return refuse("the etcd store has a / or an @ in its user or password: write them as %2F and %40");
  if (!hosts.split(",").every((host) => /^(?:\[[^\]]*\]|[^:]*)(?::\d+)?$/.test(host)))
    return refuse("an etcd store is written as etcd://HOST:PORT,HOST:PORT: one of its ports is not a number");
  if (/[?#]/.test(`${hosts}${prefix ?? ""}`))
    return refuse(
      "the etcd store has a query or a #: it takes none. Give other options as args, beside the type of the store",
    );
  return {
    hosts: hosts.split(",").map((host) => `${tls ? "https://" : ""}${host.includes(":") ? host : `${host}:2379`}`),
    ...(prefix !== undefined && prefix !== "" && { keyPrefix: prefix }),
    ...(user !== undefined && { auth: { username: decoded(user), password: decoded(password ?? "") } }),
  };
}

/** Decodes a user or a password of a URL. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse("the user or the password of the store has a % that is not an escape: write it as %25");
  }
}

/** The text of a store without its password, even if a part of the address is missing. */
export function shownStore(text: string): string {
  return maskUrls(text.replace(/:(?!\/\/).*@/s, `:${MASK}@`));
}

/** A store in words, without its password: its type, and its file or its hosts. `shown`: formats a path. */
export function storeWords(
  { type = "simple", args = {} }: ChannelConfig,
  shown: (path: string) => string = basename,
): string {
  const { file, path = file, url, hosts } = args;
  if (typeof path === "string") return `${type} ${shown(path)}`;
  if (typeof url === "string" && URL.canParse(url)) return `${type} ${hostOf(new URL(url), type)}`;
  // Text before an @ may be a password.
  const names = [hosts ?? []].flat().map((host) => String(host).replace(/^.*[@/]/, ""));
  if (names.length > 0) return `${type} ${names.join(", ")}`;
  return type === "simple" ? "memory" : type;
}

/** The host of a url, or what its driver takes for a missing one. */
function hostOf({ host, searchParams }: URL, type: string): string {
  if (type !== "postgres") return host || "localhost";
  return searchParams.get("host") || host || process.env["PGHOST"] || "localhost";
}

/**
 * The text of a store, with `***` for its password. `undefined` if it has no text, or if another process
 * cannot open the store at the same time.
 */
export function storeAddress({ type, args = {} }: ChannelConfig): string | undefined {
  const { file, durability: _, url, hosts, keyPrefix, auth, ...others } = args;
  if (Object.keys(others).length > 0) return undefined;
  if (type === "sqlite" && typeof file === "string") return `sqlite:${resolve(file)}`;
  const hasUrl = typeof url === "string" && keyPrefix === undefined;
  if ((type === "redis" || type === "postgres") && hasUrl) return shownStore(url);
  if (type !== "etcd" || !Array.isArray(hosts)) return undefined;
  const scheme = String(hosts[0]).startsWith("https:") ? "etcds" : "etcd";
  const names = hosts.map((host) => String(host).replace(/^.*[@/]/, "")).join(",");
  return `${scheme}://${auth === undefined ? "" : `${MASK}@`}${names}${keyPrefix === undefined ? "" : `/${keyPrefix}`}`;
}
