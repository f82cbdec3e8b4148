import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { JobManagerOptions } from "@ojm/core";
import { rivalFile } from "../rivals.js";

/** The pages of a product, served by a process of their own. */
export interface Site {
  readonly name: string;
  /** Its root. */
  readonly url: string;
  /** The path of each screen, and an element that shows its data. */
  readonly screens: Readonly<Record<Screen, readonly [path: string, selector: string]>>;
  close(): Promise<void>;
}

/** The screens that both products have: the first page, and the last runs of a job. */
export type Screen = "first page" | "runs of a job";

/** Our pages of a store. */
export async function openOurs({ chJobs }: JobManagerOptions, name: string): Promise<Site> {
  const served = await serve(
    new URL("ojm.child.ts", import.meta.url),
    chJobs?.type ?? "",
    JSON.stringify(chJobs?.args ?? {}),
  );
  return {
    ...served,
    name: "ojm",
    screens: {
      "first page": ["", "main .problem a, main a[data-row]"],
      "runs of a job": [`runs?name=${name}`, "main table.runs a[data-row]"],
    },
  };
}

/** Bull-board, of these queues. */
export async function openBullBoard(url: string, names: readonly string[]): Promise<Site> {
  const [name = ""] = names;
  return {
    ...(await serve(rivalFile("bull-board.child.ts"), url, names.join(","))),
    name: "bull-board",
    screens: {
      "first page": ["", `main a[href^="/queue/${name}"]`],
      "runs of a job": [`queue/${name}?status=completed`, `main a[href^="/queue/${name}/"]`],
    },
  };
}

async function serve(script: URL, ...args: string[]): Promise<Pick<Site, "url" | "close">> {
  const path = fileURLToPath(script);
  const child = spawn(process.execPath, [...process.execArgv, path, ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const gone = once(child, "exit").then(([code]) => {
    throw new Error(`${path} ended with ${code} before it said where it is`);
  });
  const [{ url }] = (await Promise.race([once(child, "message"), gone])) as [{ readonly url: string }];
  gone.catch(() => {});
  return {
    url,
    async close() {
      if (child.exitCode !== null) return;
      const exit = once(child, "exit");
      child.disconnect();
      await exit;
    },
  };
}
