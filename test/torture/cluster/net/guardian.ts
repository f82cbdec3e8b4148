import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Waits until whoever started it closes its input, or dies: that closes it, too. Then it kills all that still
 * runs in the namespaces whose names begin with its argument, and removes them, and with them the links into
 * them.
 */
const SCRIPT = `trap "" INT TERM HUP
cat > /dev/null
for namespace in $(ip netns list | cut -d" " -f1 | grep "^$1-"); do
  for pid in $(ip netns pids "$namespace"); do kill -9 "$pid" 2> /dev/null; done
  ip netns del "$namespace"
done
ip link del "$1" 2> /dev/null
exit 0`;

/** Removes the namespaces of a network when that is over, also if the harness is killed. */
export class Guardian {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(network: string) {
    // A group of its own: Ctrl-C in the terminal of the harness must not end it.
    this.#process = spawn("sh", ["-c", SCRIPT, "sh", network], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#ended = once(this.#process, "exit");
    this.#process.stdin?.on("error", () => {});
  }

  /** Resolves once nothing of the network is left. */
  async cleanUp(): Promise<void> {
    this.#process.stdin?.end();
    await this.#ended;
  }
}
