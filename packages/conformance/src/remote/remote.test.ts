/**
 * @module-tag full
 */
import { join } from "node:path";
import { isChannelError } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { openRemote } from "./remote.js";

test("a call to a remote backend whose process is killed at that moment fails with a ChannelError", async () => {
  const folder = temporaryFolder();
  for (let round = 0; round < 3; round++) {
    const remote = await openRemote({ module: "@ojm/sqlite", args: { file: join(folder, "store.db") } });
    const answers: Promise<unknown>[] = [];
    const ask = (): void => void answers.push(remote.read(["c a"]).catch((error: unknown) => error));
    let over = false;
    const killed = remote.kill().finally(() => {
      over = true;
    });
    while (!over) {
      ask();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await killed;
    ask();
    const errors = (await Promise.all(answers)).filter((answer) => answer instanceof Error);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.filter((error) => !isChannelError(error))).toEqual([]);
  }
});
