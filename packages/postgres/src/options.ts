import { accessSync, constants } from "node:fs";
import { isAbsolute } from "node:path";
import { ChannelError, checkedDuration, rejectUnknownOptions } from "@ojm/core/backend";
import type { Pool, PoolConfig } from "pg";

/** All options, by their names in `args`. */
export const OPTIONS: readonly string[] = ["url", "pool", "schema", "connections", "deadline", "allowLostWrites"];

/** The parameters of a url that `pg` knows and that mean the same as to `psql`. */
const PARAMETERS: readonly string[] = [
  ...["sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "options", "host", "port", "user", "password"],
];

const FORM = "postgres://user:password@host:5432/database";

/** The checked options of a store. */
export interface Settings {
  /** The caller's pool, if there is one. */
  readonly pool: Pool | undefined;
  readonly config: PoolConfig;
  /** Whether a server without TLS is accepted too. */
  readonly prefersTls: boolean;
  readonly where: string;
  readonly schema: string;
  readonly connections: number;
  readonly deadline: number;
  readonly allowLostWrites: boolean;
}

/** @throws ChannelError `INVALID_CONFIG`, which names the right option */
export function readOptions(args: Readonly<Record<string, unknown>>): Settings {
  rejectUnknownOptions("postgres", args, OPTIONS);
  const { url, pool } = args;
  const { connections = (pool as Pool | undefined)?.options?.max ?? 10, allowLostWrites = false } = args;
  const deadline = checkedDuration('"deadline"', args["deadline"] ?? 5_000, refuse, 1, 2 ** 30);
  if (typeof connections !== "number" || !Number.isInteger(connections) || connections < 3)
    throw invalid(`"connections" is a whole number from 3 up: calls need some, and watches one`);
  if (typeof allowLostWrites !== "boolean") throw invalid(`"allowLostWrites" is true or false`);
  const common = { connections, deadline, allowLostWrites };
  if (pool !== undefined) {
    if (url !== undefined) throw invalid(`"pool" brings its own connections: it excludes "url"`);
    if (typeof (pool as Pool)?.connect !== "function") throw invalid(`"pool" is a Pool of the package pg`);
    return {
      ...common,
      pool: pool as Pool,
      config: {},
      prefersTls: false,
      where: "PostgreSQL",
      schema: schemaOf(args),
    };
  }
  if (typeof url !== "string" || !/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw invalid(`"url" is of the form ${FORM}`);
  const read = new URL(url);
  const schema = schemaOf({ schema: read.searchParams.get("schema") ?? undefined, ...args });
  read.searchParams.delete("schema");
  for (const name of read.searchParams.keys())
    if (!PARAMETERS.includes(name))
      throw invalid(`"url" has the parameter "${name}": it may have ${PARAMETERS.join(", ")}`);
  const sslmode = read.searchParams.get("sslmode");
  const prefersTls = sslmode === "prefer" || sslmode === "allow";
  if (sslmode !== null && !/^(disable|allow|prefer|require|verify-ca|verify-full)$/.test(sslmode))
    throw invalid(`"sslmode" in the url is disable, allow, prefer, require, verify-ca or verify-full`);
  checkFiles(read.searchParams);
  if (sslmode === "verify-ca" && !read.searchParams.has("sslrootcert"))
    throw invalid(`"sslmode" verify-ca in the url needs "sslrootcert": the certificate of the authority to trust`);
  // pg reads the modes as psql does only with this parameter, which it must not have without a mode.
  if (sslmode !== null) read.searchParams.set("uselibpqcompat", "true");
  if (prefersTls) read.searchParams.set("sslmode", "prefer");
  const config: PoolConfig = {
    connectionString: read.href,
    fallback_application_name: "ojm",
    max: connections,
    connectionTimeoutMillis: deadline,
    keepAlive: true,
    allowExitOnIdle: true,
  };
  return { ...common, pool: undefined, config, prefersTls, where: `PostgreSQL at ${read.host || "localhost"}`, schema };
}

/** @throws ChannelError `INVALID_CONFIG` for a file of TLS that cannot be read */
function checkFiles(parameters: URLSearchParams): void {
  for (const name of ["sslrootcert", "sslcert", "sslkey"]) {
    const path = parameters.get(name);
    if (path === null) continue;
    // A url has no folder that a relative path could start from.
    if (!isAbsolute(path)) throw invalid(`"${name}" in the url is the absolute path of a file, not ${path}`);
    try {
      accessSync(path, constants.R_OK);
    } catch (error) {
      throw invalid(`"${name}" in the url: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }
}

/** The checked name of the schema. */
export function schemaOf({ schema = "ojm" }: Readonly<Record<string, unknown>>): string {
  if (typeof schema === "string" && schema.startsWith("pg_"))
    throw invalid(`"schema": names that begin with pg_ are reserved for PostgreSQL itself`);
  // A $ would end the bodies of the functions.
  if (typeof schema === "string" && /^[^\0$]+$/.test(schema) && Buffer.byteLength(schema) <= 63) return schema;
  throw invalid(`"schema" is the name of a schema of the database, of up to 63 bytes and without $`);
}

function refuse(what: string): never {
  throw invalid(what);
}

/** The error for a wrong option. */
function invalid(what: string): ChannelError {
  return new ChannelError("INVALID_CONFIG", `channel type "postgres": ${what}`);
}
