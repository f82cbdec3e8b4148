import { type Channel, runId } from "@ojm/core";
import { identityOf } from "@ojm/core/internal";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { storeIn } from "../../testing/store.js";
import { otherReasons } from "./other-reasons.js";
import { noteRefusal } from "./refusals.js";

test("the UI gets the commands that outlived their ojm, and for one job also the starts that were refused", async () => {
  const manager = await storeIn(folderWith({}));
  const locks = manager.channels.locks as Channel<unknown>;
  const here = identityOf(process.pid);
  const elsewhere = { ...here, host: "elsewhere", boot: "another" };
  const runOf = (name: string): string => runId({ name, startTime: 7 });
  await locks.set(["exec", "dump"], { ...here, run: runOf("dump") });
  await locks.set(["exec", "sync"], { ...elsewhere, run: runOf("sync") });
  await noteRefusal(manager, "dump", "held by x");
  const dump = {
    ...{ name: "dump", code: "orphaned", run: runOf("dump"), keeps: true },
    text: expect.stringContaining(`is still running as pid ${process.pid} on ${here.host}`),
    help: `To end it, on ${here.host}: kill -TERM -- -${process.pid}`,
  };
  const sync = {
    ...{ name: "sync", code: "orphaned", run: runOf("sync"), keeps: false },
    text: expect.stringContaining(`may still be running as pid ${process.pid} on elsewhere`),
    help: expect.stringContaining("on elsewhere: ps "),
  };
  const refused = { name: "dump", code: "refused", text: expect.stringMatching(/was refused at .*held by x$/) };
  expect(await otherReasons(manager)).toEqual([dump, sync]);
  expect(await otherReasons(manager, "dump")).toEqual([dump, refused]);
  expect(await otherReasons(manager, "sync")).toEqual([sync]);
  expect(await otherReasons(manager, "other")).toEqual([]);
});
