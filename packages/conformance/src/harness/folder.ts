import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BackendType, systemClock } from "@ojm/core/backend";
import type { Harness } from "./harness.js";

/** How to test a backend that stores its data in files. */
export interface FolderHarness {
  readonly type: BackendType;
  /** The path of the module that exports the type, for clients in other processes. */
  readonly module: string;
  /** The args to open a store in `folder`, which is empty at first. */
  args(folder: string): Readonly<Record<string, unknown>>;
  readonly name?: string;
  readonly knownFailures?: Readonly<Record<string, string>>;
}

/**
 * Makes the harness of a backend that stores its data in files. Each case gets its own folder, which is
 * deleted afterwards.
 */
export function inFolder({ type, module, args, name = type.type, knownFailures = {} }: FolderHarness): Harness {
  return {
    name,
    knownFailures,
    async open() {
      const folder = await mkdtemp(join(tmpdir(), "ojm-conformance-"));
      const given = args(folder);
      return {
        client: () => type.open(given, { clock: systemClock }),
        remote: { module: pathToFileURL(module).href, args: given },
        close: () => rm(folder, { recursive: true, force: true }),
      };
    },
  };
}
