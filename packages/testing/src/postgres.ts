import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { CallersTransaction, Heal } from "../../conformance/src/harness/harness.js";
import { ServerProcess } from "../../conformance/src/proxy/server-process.js";

/** A server of PostgreSQL with a folder of its own. Its superuser is `ojm`, without a password. */
export interface PostgresServer {
  readonly port: number;
  /** The first process of the server. After a restart, it is another one. */
  readonly pid: number;
  /** The url of its database `postgres`. */
  readonly url: string;
  /** The folder of the data. */
  readonly data: string;
  /** Runs statements as the superuser. Resolves to the rows of the last one. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Begins a transaction, on a connection that ends with it. */
  begin(): Promise<CallersTransaction>;
  /** Kills it with all of its processes, and starts it again. Calls `between` while it is down. */
  restart(between?: () => Promise<void>): Promise<void>;
  /** Suspends all of its processes. */
  pause(): Promise<Heal>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Settings as on the command line: `["synchronous_commit=off"]`. */
  readonly settings?: readonly string[];
  /** Where `initdb` and `postgres` are. Default: the newest of Debian, or those on the PATH. */
  readonly programs?: string;
  /** Makes it a replica of this server, under this name. */
  readonly replicaOf?: { readonly port: number; readonly name: string };
  /** Where its folder is made. Default: the folder of the system for temporary files. */
  readonly below?: string;
  /** Begins with a copy of this data, in place of an empty database. See {@link copyData}. */
  readonly template?: string;
  /** Environment variables in addition to ours. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Debian keeps the programs in a folder for each version, off the PATH. */
function folderOfPrograms(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const given = process.env["OJM_POSTGRES"];
  const folders = [
    ...(given === undefined ? [] : [given]),
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(":"),
  ];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

/** The server refuses to run as root: under root it runs as the user that its package created. */
function user(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string): number =>
    Number(execFileSync("id", [option, "postgres"], { stdio: ["ignore", "pipe", "ignore"] }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Why it cannot be started here, or `undefined` if it can. */
export function postgresMissing(): string | undefined {
  if (folderOfPrograms() === undefined) return "PostgreSQL is not installed (apt-get install postgresql)";
  try {
    user();
    return undefined;
  } catch {
    return "PostgreSQL does not run as root, and there is no user postgres";
  }
}

/** Why PgBouncer cannot be started here, or `undefined` if it can. */
export function pgBouncerMissing(): string | undefined {
  try {
    execFileSync("pgbouncer", ["--version"], { stdio: "ignore" });
    return postgresMissing();
  } catch {
    return "PgBouncer is not installed (apt-get install pgbouncer)";
  }
}

/** "17.6" */
export function postgresVersion(): string {
  const text = execFileSync(join(folderOfPrograms() ?? "", "postgres"), ["--version"], { encoding: "utf8" });
  return /\) (\S+)/.exec(text)?.[1] ?? "unknown";
}

/** The command that runs one of its programs, as the user of the server. */
export function postgresCommand(program: string, ...args: readonly string[]): string[] {
  return [...asServer(user()), join(folderOfPrograms() ?? "", program), ...args];
}

/** If the test runner is killed, the program ends with it. */
function asServer(as: ReturnType<typeof user>): string[] {
  const who = as === undefined ? [] : [`--reuid=${as.uid}`, `--regid=${as.gid}`, "--clear-groups"];
  return ["setpriv", "--pdeathsig=KILL", ...who];
}

/** Makes an empty folder that belongs to the user of the server. */
export function emptyFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: 0o700 });
  const as = user();
  if (as !== undefined) chownSync(path, as.uid, as.gid);
}

/** Runs a statement over a connection of its own. Rejects after `patience` ms. */
export async function queryOnce(
  { host, port }: { readonly host: string; readonly port: number },
  text: string,
  patience: number,
): Promise<Record<string, unknown>[]> {
  const times = { connectionTimeoutMillis: patience, query_timeout: patience };
  const client = new pg.Client({ host, port, user: "ojm", database: "postgres", ...times });
  client.on("error", () => {}); // the rejection reports it
  try {
    await client.connect();
    return (await client.query(text)).rows;
  } finally {
    // It waits for an answer that a suspended server does not give.
    void client.end().catch(() => {});
  }
}

/** Starts a server. It does not wait for the disk, unless `settings` say so: no test cuts the power. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { settings = [], replicaOf, below = tmpdir(), template, env = {} } = options;
  const programs = options.programs ?? folderOfPrograms() ?? "";
  const as = user();
  const folder = mkdtempSync(join(below, "ojm-postgres-"));
  if (as !== undefined) chownSync(folder, as.uid, as.gid);
  const [setpriv = "", ...who] = asServer(as);
  const data = join(folder, "data");
  const create =
    replicaOf === undefined
      ? [
          join(programs, "initdb"),
          "-D",
          data,
          "-U",
          "ojm",
          "--auth=trust",
          "--encoding=UTF8",
          "--no-locale",
          "--no-sync",
        ]
      : [
          ...[join(programs, "pg_basebackup"), "-D", data, "-R", "--checkpoint=fast", "--no-sync", "-d"],
          `host=127.0.0.1 port=${replicaOf.port} user=ojm application_name=${replicaOf.name}`,
        ];
  const all = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=300",
    "fsync=off",
    ...settings,
  ];
  const connect = async (port: number): Promise<pg.Client> => {
    const client = new pg.Client({ host: "127.0.0.1", port, user: "ojm", database: "postgres" });
    client.on("error", () => {}); // the rejection reports it
    await client.connect();
    return client;
  };
  if (template === undefined) execFileSync(setpriv, [...who, ...create], { cwd: folder, stdio: "pipe" });
  else copyData(template, data);
  const server = await ServerProcess.start({
    command: setpriv,
    // The server takes connections before it is ready, and refuses them.
    ready: async (port) => {
      await (await connect(port)).end();
      return true;
    },
    args: (port) => [
      ...[...who, "env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
      ...[join(programs, "postgres"), "-D", data, "-p", String(port)],
      ...all.flatMap((setting) => ["-c", setting]),
    ],
  });
  return {
    port: server.port,
    get pid() {
      return server.pid ?? 0;
    },
    url: `postgres://ojm@127.0.0.1:${server.port}/postgres`,
    data,
    async sql(text, values) {
      const client = await connect(server.port);
      try {
        const results = await client.query(text, values);
        const last = Array.isArray(results) ? results.at(-1) : results;
        return last.rows;
      } finally {
        await client.end();
      }
    },
    async begin() {
      const client = await connect(server.port);
      await client.query("begin");
      const end = (statement: string): Promise<void> =>
        client
          .query(statement)
          .then(() => {})
          .finally(() => client.end());
      return { client, commit: () => end("commit"), rollback: () => end("rollback") };
    },
    restart: (between) => server.restart(between),
    pause: () => server.pause(),
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Copies the data of a server that is stopped or suspended. A server can start on the copy. */
export function copyData(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  execFileSync("cp", ["-a", from, to], { stdio: "pipe" });
  // It names a process, which may be another program by now.
  rmSync(join(to, "postmaster.pid"), { force: true });
}

/** A pooler in front of a server of its own. */
export interface PgBouncer extends Pick<PostgresServer, "port" | "url" | "stop"> {
  readonly server: PostgresServer;
}

/** Starts a server, and PgBouncer in transaction mode in front of it. */
export async function startPgBouncer(): Promise<PgBouncer> {
  const server = await startPostgres();
  const folder = mkdtempSync(join(tmpdir(), "ojm-pgbouncer-"));
  const as = user();
  const [setpriv = "", ...who] = asServer(as);
  const bouncer = await ServerProcess.start({
    command: setpriv,
    args: (port) => {
      const file = join(folder, "pgbouncer.ini");
      const settings = [
        ...["[databases]", `* = host=127.0.0.1 port=${server.port}`, "[pgbouncer]", "pool_mode = transaction"],
        ...["listen_addr = 127.0.0.1", `listen_port = ${port}`, "unix_socket_dir =", "auth_type = trust"],
        // With its default of 15 s, a restart of the server would outlast every deadline of a test.
        ...[`auth_file = ${join(folder, "users")}`, "server_login_retry = 0.1", "max_client_conn = 500"],
        "default_pool_size = 40",
      ];
      writeFileSync(file, `${settings.join("\n")}\n`);
      writeFileSync(join(folder, "users"), '"ojm" ""\n');
      if (as !== undefined) for (const path of [folder, file, join(folder, "users")]) chownSync(path, as.uid, as.gid);
      return [...who, "pgbouncer", file];
    },
  });
  return {
    port: bouncer.port,
    url: server.url.replace(String(server.port), String(bouncer.port)),
    server,
    async stop() {
      await bouncer.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
