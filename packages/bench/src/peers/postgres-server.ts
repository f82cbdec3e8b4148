import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../conformance/src/proxy/free-port.js";

/** A PostgreSQL of our own, in a temporary folder. */
export interface PostgresServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Where Debian keeps the programs, by version. Elsewhere they are on the PATH. */
const DEBIAN = "/usr/lib/postgresql";

function program(name: string): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const paths = versions.map((version) => `${DEBIAN}/${version}/bin/${name}`);
  return paths.find(existsSync) ?? name;
}

/** Why it cannot be started here, or `undefined` if it can. */
export function postgresMissing(): string | undefined {
  try {
    execFileSync(program("postgres"), ["--version"], { stdio: "ignore" });
    user();
    return undefined;
  } catch {
    return "PostgreSQL is not installed (apt-get install postgresql)";
  }
}

/** "15.20" */
export function postgresVersion(): string {
  const text = execFileSync(program("postgres"), ["--version"], { encoding: "utf8" });
  return /\) (\S+)/.exec(text)?.[1] ?? "unknown";
}

/** PostgreSQL refuses to run as root: use the user that its package created. */
function user(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Starts it with its defaults: an acknowledged commit is on the disk. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "ojm-postgres-"));
  const as = user();
  if (as.uid !== undefined && as.gid !== undefined) chownSync(folder, as.uid, as.gid);
  const data = join(folder, "data");
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    execFileSync(program("initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"], {
      stdio: ["ignore", "ignore", "pipe"],
      cwd: folder,
      ...as,
    });
    const port = await freePort();
    const server = await launch(["-D", data, "-p", String(port), "-k", folder, "-c", "listen_addresses=127.0.0.1"], {
      cwd: folder,
      ...as,
    });
    return {
      url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
      pid: server.pid ?? 0,
      async stop() {
        const closed = once(server, "close");
        server.kill("SIGINT"); // a fast shutdown, which does not wait for clients
        await closed;
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

async function launch(args: readonly string[], options: { cwd: string; uid?: number; gid?: number }) {
  const child: ChildProcess = spawn(program("postgres"), args, { stdio: ["ignore", "ignore", "pipe"], ...options });
  // An abandoned server must not outlive the benchmark.
  const onExit = (): void => void child.kill("SIGQUIT");
  process.once("exit", onExit);
  child.once("close", () => process.off("exit", onExit));
  let output = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000);
      if (output.includes("ready to accept connections")) resolve();
    });
    child.once("error", reject);
    child.once("close", () => reject(new Error(`postgres ended:\n${output}`)));
  });
  return child;
}
