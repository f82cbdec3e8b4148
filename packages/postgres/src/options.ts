import { accessSync, constants } from "node:fs";
import { isAbsolute } from "node:path";
import { ChannelError, checkedDuration, rejectUnknownOptions } from "@ojm/core/backend";
import type { Pool, PoolConfig } from "pg";

/** All options, by their names in `args`. */
export const OPTIONS: readonly string[] = ["url", "pool", "schema", "connections", "deadline", "allowLostWrites"];

/** The parameters of a url: ours, and those that `pg` knows and that mean the same as to `psql`. */
const PARAMETERS: readonly string[] =
  "schema sslmode sslrootcert sslcert sslkey application_name options host port user password".split(" ");

const SEVERAL_HOSTS = `"url" names several hosts: it may name one. Name the primary, or a proxy that leads to it`;

/** What all own pools have. */
const POOL: PoolConfig = { fallback_application_name: "ojm", keepAlive: true, allowExitOnIdle: true };

/** The checked options of a store. */
export interface Settings {
  /** The caller's pool, if there is one. */
  readonly pool: Pool | undefined;
  /** Those of an own pool: the second, if there is one, is for a server without TLS. */
  readonly configs: readonly PoolConfig[];
  readonly where: string;
  readonly schema: string;
  readonly connections: number;
  readonly deadline: number;
  readonly allowLostWrites: boolean;
}

/** @throws ChannelError `INVALID_CONFIG`, which names the right option */
export function readOptions(args: Readonly<Record<string, unknown>>): Settings {
  rejectUnknownOptions("postgres", args, OPTIONS);
  const { url } = args;
  const pool = args["pool"] as Pool | undefined;
  const { connections = pool?.options?.max ?? 10, allowLostWrites = false } = args;
  const deadline = checkedDuration('"deadline"', args["deadline"] ?? 5_000, refuse, 1, 2 ** 30);
  if (typeof connections !== "number" || !Number.isInteger(connections) || connections < 3)
    refuse(`"connections" is a whole number from 3 up: calls need some, and watches one`);
  if (typeof allowLostWrites !== "boolean") refuse(`"allowLostWrites" is true or false`);
  const common = { pool, connections, deadline, allowLostWrites };
  if (pool !== undefined) {
    if (url !== undefined) refuse(`"pool" brings its own connections: it excludes "url"`);
    if (typeof pool?.connect !== "function") refuse(`"pool" is a Pool of the package pg`);
    return { ...common, configs: [], where: "PostgreSQL", schema: schemaOf(args) };
  }
  const [, hosts = ""] = /^postgres(?:ql)?:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(String(url)) ?? [];
  if (hosts.includes(",")) refuse(SEVERAL_HOSTS);
  if (typeof url !== "string" || !/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    refuse(`"url" is of the form postgres://user:password@host:5432/database`);
  const read = new URL(url);
  const { searchParams: given } = read;
  const schema = schemaOf({ schema: given.get("schema") ?? undefined, ...args });
  for (const name of given.keys()) {
    if (PARAMETERS.includes(name)) continue;
    if (OPTIONS.includes(name))
      refuse(`"url" has the parameter "${name}": to set this option, write the store as a map`);
    refuse(`"url" has the parameter "${name}": it may have ${PARAMETERS.join(", ")}`);
  }
  given.delete("schema");
  if (given.get("host")?.includes(",")) refuse(SEVERAL_HOSTS);
  const host = given.get("host") || read.host || process.env["PGHOST"] || "localhost";
  checkFiles(given);
  const sslmode = sslmodeOf(given, host);
  // pg reads the modes as psql does only with this parameter, which it must not have without a mode.
  if (sslmode !== null) given.set("uselibpqcompat", "true");
  const modes = sslmode === "prefer" || sslmode === "allow" ? ["prefer", "disable"] : [sslmode];
  const configs = modes.map((mode) => {
    if (mode !== null) given.set("sslmode", mode);
    return { ...POOL, connectionString: read.href, max: connections, connectionTimeoutMillis: deadline };
  });
  return { ...common, configs, where: `PostgreSQL at ${host}`, schema };
}

/** The mode of TLS, `null` for the default. Left to `pg`, most modes in PGSSLMODE would mean verify-full. */
function sslmodeOf(parameters: URLSearchParams, host: string): string | null {
  const own = parameters.get("sslmode");
  const mode = own ?? (process.env["PGSSLMODE"] || null);
  const [name, place] = own === null ? ["PGSSLMODE", ""] : [`"sslmode"`, " in the url"];
  if (mode !== null && !/^(disable|allow|prefer|require|verify-ca|verify-full)$/.test(mode))
    refuse(`${name}${place} is disable, allow, prefer, require, verify-ca or verify-full`);
  // A Unix socket has no TLS: like psql, ignore the mode.
  if (mode !== null && /^(\/|%2f)/i.test(host)) return "disable";
  if (mode === "verify-ca" && !parameters.has("sslrootcert"))
    refuse(`${name} verify-ca needs "sslrootcert" in the url: the certificate of the authority to trust`);
  return mode;
}

/** @throws ChannelError `INVALID_CONFIG` for a file of TLS that cannot be read */
function checkFiles(parameters: URLSearchParams): void {
  for (const name of ["sslrootcert", "sslcert", "sslkey"]) {
    const path = parameters.get(name);
    if (path === null) continue;
    // A url has no folder that a relative path could start from.
    if (!isAbsolute(path)) refuse(`"${name}" in the url is the absolute path of a file, not ${path}`);
    try {
      accessSync(path, constants.R_OK);
    } catch (error) {
      refuse(`"${name}" in the url: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }
}

/** The checked name of the schema. */
export function schemaOf({ schema = "ojm" }: Readonly<Record<string, unknown>>): string {
  if (typeof schema === "string" && schema.startsWith("pg_"))
    refuse(`"schema": names that begin with pg_ are reserved for PostgreSQL itself`);
  // A $ would end the bodies of the functions.
  if (typeof schema === "string" && /^[^\0$]+$/.test(schema) && Buffer.byteLength(schema) <= 63) return schema;
  return refuse(`"schema" is the name of a schema of the database, of up to 63 bytes and without $`);
}

function refuse(what: string): never {
  throw new ChannelError("INVALID_CONFIG", `channel type "postgres": ${what}`);
}
