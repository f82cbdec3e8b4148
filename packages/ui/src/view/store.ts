import type { JobManager } from "@ojm/core";
import { storeAddress, storeWords } from "@ojm/core/internal";

/** The store of the records as text: its type, and where it is. Never a password. */
export function storeText({ channels: { jobs } }: JobManager): string {
  const { locator, supports } = jobs;
  if (locator !== undefined) return storeWords({ type: locator.kind, args: locator.args });
  return supports.shared === "process" ? "memory" : "a store of the program";
}

/**
 * The store as `--store` and `OJM_STORE` name it, with `***` for a password; `undefined` if the command line
 * has no such text for it, or cannot open it beside the process that serves the pages.
 */
export function addressOf({ channels: { jobs, locks } }: JobManager): string | undefined {
  const [ofJobs, ofLocks] = [jobs, locks].map(({ locator }) => locator && JSON.stringify([locator.kind, locator.args]));
  if (jobs.locator === undefined || ofJobs !== ofLocks) return undefined;
  return storeAddress({ type: jobs.locator.kind, args: jobs.locator.args });
}
