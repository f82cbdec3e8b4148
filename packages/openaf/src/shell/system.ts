import {
  arch,
  availableParallelism,
  homedir,
  hostname,
  networkInterfaces,
  platform,
  release,
  tmpdir,
  userInfo,
} from "node:os";
import { dirname } from "node:path";
import type { Functions } from "../data/types.js";

/** The names of the systems in Java. */
const SYSTEMS: Readonly<Record<string, string>> = { linux: "Linux", darwin: "Mac OS X", win32: "Windows" };
const PROCESSORS: Readonly<Record<string, string>> = { x64: "amd64", arm64: "aarch64" };

/** The variables of the environment. */
export const getEnvs = (): Record<string, string | undefined> => ({ ...process.env });

/** A value, or else a variable of the environment, or else another value. */
export function getEnvsDef(name: string, value?: unknown, otherwise?: unknown): unknown {
  return value ?? process.env[name] ?? otherwise;
}

/** How many processors there are. */
export const getNumberOfCores = (): number => availableParallelism();

/** The number of this process. */
export const getPid = (): string => String(process.pid);

/** Whether a process with that pid exists. */
export function pidCheck(pid: unknown): boolean {
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    // It exists, but belongs to another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Ends a process. Returns whether the signal could be sent. */
export function pidKill(pid: unknown, force?: unknown): boolean {
  try {
    return process.kill(Number(pid), force ? "SIGKILL" : "SIGTERM");
  } catch {
    return false;
  }
}

function hostAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return addresses.find(({ internal, family }) => !internal && family === "IPv4")?.address ?? "127.0.0.1";
}

/** The functions of `ow.format` that deal with the machine. */
export const SYSTEM: Functions = {
  isWindows: (): boolean => platform() === "win32",
  getOS: (): string => SYSTEMS[platform()] ?? platform(),
  getOSArch: (): string => PROCESSORS[arch()] ?? arch(),
  getOSVersion: release,
  getCurrentDirectory: (): string => process.cwd(),
  getUserHome: homedir,
  getTmpDir: tmpdir,
  getUserName: (): string => userInfo().username,
  getHostName: hostname,
  getHostAddress: hostAddress,
};

/**
 * The release of OpenAF whose functions this package follows: files compare it with the least that they
 * need.
 */
export const getVersion = (): string => "20250315";

/** The line of releases. */
export const getDistribution = (): string => "stable";

/** The folder of the program that runs, with a slash at its end. It holds no files of OpenAF. */
export const getOpenAFPath = (): string => `${dirname(process.argv[1] ?? process.execPath)}/`;

/** The path of Java from the environment. ojm itself does not need Java. */
export const getJavaHome = (): string | undefined => process.env["JAVA_HOME"];
