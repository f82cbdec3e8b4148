import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Starts a script beside this file as a child process, with the options of this one and an IPC channel. */
export function startChild(script: string, args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return spawn(process.execPath, [...process.execArgv, path, ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** The processor time of these processes so far, in ms. Each must answer every message with it. */
export async function cpuOf(children: readonly ChildProcess[]): Promise<number> {
  const all = children.map(async (child) => {
    child.send("cpu");
    const [{ cpu }] = (await once(child, "message")) as [{ cpu: number }];
    return cpu;
  });
  return (await Promise.all(all)).reduce((sum, cpu) => sum + cpu, 0);
}
