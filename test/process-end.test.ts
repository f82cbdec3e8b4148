import { once } from "node:events";
import { openChannel } from "@ojm/core";
import { expect, it } from "vitest";
import { startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

onSharedStores({ first: ["sqlite, one file"] }, (create) => {
  it("a program that awaits a change stays alive for it, and ends by itself when it awaits nothing more", async () => {
    const options = await create();
    const child = startChild("watcher.child.ts", [JSON.stringify(options)]);
    await once(child.process, "disconnect");
    await using channel = await openChannel("changes", options.chJobs ?? {});
    await channel.set("key", "the change");
    expect(await child.ended).toBe(0);
    expect(child.output.stdout).toBe('"the change"\n');
  });
});
