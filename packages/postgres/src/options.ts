import { accessSync, constants } from "node:fs";
import { isAbsolute } from "node:path";
import { ChannelError, checkedDuration, rejectUnknownOptions } from "@ojm/core/backend";
import type { Pool, PoolConfig } from "pg";

/** All options, by their names in `args`. */
export const OPTIONS: readonly string[] = ["url", "pool", "schema", "connections", "deadline", "allowLostWrites"];

/** The parameters of a url that `pg` knows and that mean the same as to `psql`. */
const PARAMETERS: readonly string[] =
  "sslmode sslrootcert sslcert sslkey application_name options host port user password".split(" ");

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
  if (typeof url !== "string" || !/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    refuse(`"url" is of the form postgres://user:password@host:5432/database`);
  const read = new URL(url);
  const { searchParams: given } = read;
  const schema = schemaOf({ schema: given.get("schema") ?? undefined, ...args });
  given.delete("schema");
  for (const name of given.keys())
    if (!PARAMETERS.includes(name)) refuse(`"url" has the parameter "${name}": it may have ${PARAMETERS.join(", ")}`);
  const sslmode = given.get("sslmode");
  if (sslmode !== null && !/^(disable|allow|prefer|require|verify-ca|verify-full)$/.test(sslmode))
    refuse(`"sslmode" in the url is disable, allow, prefer, require, verify-ca or verify-full`);
  checkFiles(given);
  if (sslmode === "verify-ca" && !given.has("sslrootcert"))
    refuse(`"sslmode" verify-ca in the url needs "sslrootcert": the certificate of the authority to trust`);
  // pg reads the modes as psql does only with this parameter, which it must not have without a mode.
  if (sslmode !== null) given.set("uselibpqcompat", "true");
  const modes = sslmode === "prefer" || sslmode === "allow" ? ["prefer", "disable"] : [sslmode];
  const configs = modes.map((mode) => {
    if (mode !== null) given.set("sslmode", mode);
    return { ...POOL, connectionString: read.href, max: connections, connectionTimeoutMillis: deadline };
  });
  return { ...common, configs, where: `PostgreSQL at ${read.host || "localhost"}`, schema };
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
