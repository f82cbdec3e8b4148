import { openQueues } from "@ojm/queue";
import { expect, onTestFinished, test } from "vitest";
import { eventsOf } from "../testing/events.js";
import { openTestUi, type TestUi } from "../testing/test-ui.js";
import type { Source } from "../view/source.js";
import { Hub } from "./hub.js";
import { EventStream } from "./stream.js";

const MIB = 1_024 * 1_024;

async function opened(): Promise<{ readonly it: TestUi; readonly hub: Hub; readonly source: Source }> {
  const it = await openTestUi();
  const mask = (text: string): string => text;
  const hub = new Hub(it.manager, mask, async () => []);
  onTestFinished(async () => {
    hub.close();
    await it[Symbol.asyncDispose]();
  });
  const { manager, scheduler } = it;
  const queues = openQueues(manager);
  return { it, hub, source: { manager, scheduler, queues, hub, showResults: false, mask, reasons: async () => [] } };
}

test("a stream whose client does not read is ended at 4 MiB: it takes no more memory, and its client comes back", async () => {
  const { hub, source } = await opened();
  const { body, ended } = new EventStream(source, hub, { logs: [], last: undefined });
  for (let i = 1; i <= 10; i++) {
    const { seq } = hub.ring;
    hub.touch(`${i}`.padEnd(MIB, "."));
    await expect.poll(() => hub.ring.seq).toBeGreaterThan(seq);
  }
  let size = 0;
  for await (const { data } of eventsOf(new Response(body))) {
    size += JSON.stringify(data).length;
    // Without the limit, the stream would continue and send all ten.
    expect(size).toBeLessThan(6 * MIB);
  }
  expect(size).toBeGreaterThan(3 * MIB);
  await ended;
});
