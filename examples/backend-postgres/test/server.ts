import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, ServerProcess } from "@ojm/conformance";
import pg from "pg";

/** Debian keeps the server's programs in a folder per version, off the PATH. */
function folderOfPrograms(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(":"),
  ];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

/** The server refuses to run as root. Under root it runs as the user that the package created. */
function user(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string): number =>
    Number(execFileSync("id", [option, "postgres"], { stdio: ["ignore", "pipe", "ignore"] }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Why no server can be started here, or `undefined` if one can. */
export function whyMissing(): string | undefined {
  if (folderOfPrograms() === undefined) return "PostgreSQL is not installed (apt-get install postgresql)";
  try {
    user();
    return undefined;
  } catch {
    return "PostgreSQL does not run as root, and there is no user postgres";
  }
}

/** Starts an empty server, which every user of this machine may use. */
export async function startPostgres(): Promise<RunningServer & { readonly port: number }> {
  const programs = folderOfPrograms() ?? "";
  const as = user();
  const folder = mkdtempSync(join(tmpdir(), "ojm-postgres-"));
  if (as !== undefined) chownSync(folder, as.uid, as.gid);
  const who = as === undefined ? [] : [`--reuid=${as.uid}`, `--regid=${as.gid}`, "--clear-groups"];
  const data = join(folder, "data");
  const initdb = ["-D", data, "--username=ojm", "--auth=trust", "--encoding=UTF8", "--no-sync"];
  execFileSync("setpriv", [...who, join(programs, "initdb"), ...initdb], { cwd: folder, stdio: "pipe" });
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=300",
    // Without fsync a killed server loses nothing, and no test cuts the power.
    "fsync=off",
  ];
  const server = await ServerProcess.start({
    command: "setpriv",
    // The server takes connections before it is ready, and refuses them.
    ready: async (port) => {
      const client = new pg.Client({ host: "127.0.0.1", port, user: "ojm", database: "postgres" });
      await client.connect();
      await client.end();
      return true;
    },
    args: (port) => [
      // If the test runner is killed, the server ends with it.
      ...[...who, "--pdeathsig=KILL", join(programs, "postgres"), "-D", data, "-p", String(port)],
      ...settings.flatMap((setting) => ["-c", setting]),
    ],
  });
  return {
    port: server.port,
    faults: { restart: () => server.restart(), pause: server.pause },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
