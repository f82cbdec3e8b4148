import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Waits until its input is closed, which also happens when its parent dies. Then kills every process in the
 * namespaces whose names begin with the argument, and removes these namespaces and the links into them.
 */
const SCRIPT = `trap "" INT TERM HUP
cat > /dev/null
for namespace in $(ip netns list | cut -d" " -f1 | grep "^$1-"); do
  for pid in $(ip netns pids "$namespace"); do kill -9 "$pid" 2> /dev/null; done
  ip netns del "$namespace"
done
ip link del "$1" 2> /dev/null
exit 0`;

/** Removes the namespaces of a network at its end, even if the harness is killed. */
export class Guardian {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(network: string) {
    // Use a separate process group: Ctrl-C in the terminal of the harness must not end the guardian.
    this.#process = spawn("sh", ["-c", SCRIPT, "sh", network], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#ended = once(this.#process, "exit");
    this.#process.stdin?.on("error", () => {});
  }

  /** Removes the network. Resolves once nothing of it is left. */
  async cleanUp(): Promise<void> {
    this.#process.stdin?.end();
    await this.#ended;
  }
}
