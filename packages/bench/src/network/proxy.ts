import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./proxy.child.ts", import.meta.url));

/** Starts a proxy before a server of this host that delays all bytes by this many ms, each way. */
export async function startProxy(
  port: number,
  delay: number,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const args = [...process.execArgv, SCRIPT, String(port), String(delay)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const [said] = (await once(child, "message")) as [{ port: number }];
  return { port: said.port, close: () => void child.kill("SIGKILL") };
}
