import { openJobManager, type RunRecord } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { takeStockElsewhere } from "./both-stocks.js";

it("a stock that is larger than what a pipe takes at once arrives whole", async () => {
  const channel = { type: "sqlite", args: { file: `${temporaryFolder()}/ojm.db` } };
  const options = { chJobs: channel, chLocks: channel };
  {
    await using manager = await openJobManager(options);
    const { jobs } = manager.channels;
    // Each is an entry without a readable record, which the stock names.
    const names = Array.from({ length: 1_500 }, (_, i) => `${i} ${"x".repeat(900)}`);
    await Promise.all(names.map((name) => jobs.set({ name, startTime: 1 }, {} as RunRecord)));
  }
  const { unreadable } = await takeStockElsewhere(options, "run", undefined);
  expect(unreadable).toHaveLength(1_500);
});
