import { type ProcessIdentity, processState } from "@ojm/core/internal";
import { JobError } from "../runtime/job-error.js";

/** How often to look whether the process is gone, in ms. */
const LOOK = 10;
/** How long a process may take to end after SIGKILL, in ms. */
const KILLED_WITHIN = 5_000;

/**
 * Ends a process by SIGTERM, and after the grace period by SIGKILL. No signal goes to another process that
 * got the same pid meanwhile.
 *
 * @throws JobError if it belongs to another user, or is there still after SIGKILL
 */
export async function endProcess(
  identity: ProcessIdentity,
  grace: number,
  killedWithin: number = KILLED_WITHIN,
): Promise<void> {
  signal(identity, "SIGTERM");
  if (await isGoneWithin(identity, grace)) return;
  signal(identity, "SIGKILL");
  if (await isGoneWithin(identity, killedWithin)) return;
  throw new JobError(
    `the process before, pid ${identity.pid}, does not end: it is there still ${killedWithin} ms after SIGKILL. ` +
      "It may wait for a disk, or be the first process of this container. End it, then start again.",
  );
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (processState(identity) !== "there") return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EPERM")
      throw new JobError(`the process before, pid ${identity.pid}, belongs to another user: it cannot be ended`);
  }
}

async function isGoneWithin(identity: ProcessIdentity, ms: number): Promise<boolean> {
  const last = performance.now() + ms;
  while (processState(identity) === "there") {
    if (performance.now() >= last) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  return true;
}
