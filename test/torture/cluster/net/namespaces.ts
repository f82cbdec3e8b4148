import { spawnSync } from "node:child_process";

/** Runs one `ip` command. Throws with its error output if it fails. */
export function ip(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync("ip", args, { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr.trim()}`);
}

/** Runs many `ip` commands inside one namespace, in one process. */
export function ipBatch(namespace: string, lines: readonly string[]): void {
  const args = ["-n", namespace, "-batch", "-"];
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8", input: `${lines.join("\n")}\n` });
  if (status !== 0) throw new Error(`ip in ${namespace}: ${stderr.trim()}`);
}

/**
 * The command prefix that starts a program inside a namespace. It replaces itself by the program, so the
 * process id is the program's own.
 */
export function inside(namespace: string): readonly string[] {
  return ["nsenter", `--net=/run/netns/${namespace}`, "--"];
}

let reason: { readonly text: string | undefined } | undefined;

/** Why this machine has no network namespaces; `undefined` if it has them. */
export function whyNoNamespaces(): string | undefined {
  reason ??= { text: lookForReason() };
  return reason.text;
}

function lookForReason(): string | undefined {
  if (process.platform !== "linux") return "no network namespaces: they exist on Linux only";
  if (process.getuid?.() !== 0) return "no network namespaces: only root can make them";
  for (const [program, owner] of [
    ["ip", "iproute2"],
    ["nsenter", "util-linux"],
  ] as const) {
    const { error } = spawnSync(program, ["--help"], { stdio: "ignore" });
    if (error !== undefined) return `no network namespaces: ${program} is not installed (apt-get install ${owner})`;
  }
  const name = `ojm-try-${process.pid}`;
  try {
    ip("netns", "add", name);
    ipBatch(name, [
      "link add name br0 type bridge",
      "link add name p0 type veth peer name p1",
      "link set p0 master br0",
    ]);
    return undefined;
  } catch (error) {
    return `no network namespaces: ${error instanceof Error ? error.message : error}`;
  } finally {
    spawnSync("ip", ["netns", "del", name], { stdio: "ignore" });
  }
}
