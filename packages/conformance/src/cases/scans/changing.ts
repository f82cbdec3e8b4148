import assert from "node:assert/strict";
import type { Case } from "../../case/case.js";
import { collect, rejectsWith } from "../../support/assert.js";
import { fill, upTo } from "./fill.js";

/** Scans of a channel that changes meanwhile, and scans that are not read to the end. */
export const changing: readonly Case[] = [
  {
    id: "SCN-030",
    law: "An entry that exists during the whole scan is listed exactly once, whatever is written and deleted around it.",
    async run(t) {
      const [reader, writer] = await t.channels(2);
      if (reader === undefined || writer === undefined) return;
      const size = 1_300;
      await fill(writer, upTo(size));
      for (const reverse of [false, true]) {
        const seen: number[] = [];
        let step = 0;
        for await (const { key } of reader.entries({ reverse })) {
          seen.push(Number(key));
          // Odd numbers come and go during the scan. Even numbers stay, but are written again.
          if (step++ % 100 !== 0) continue;
          const odd = t.random.int(size / 2) * 2 + 1;
          await writer.unset(odd);
          await writer.set(odd + 0.5, "new");
          await writer.set(Math.min(odd + 1, size - 2), "rewritten");
        }
        assert.equal(new Set(seen).size, seen.length, "an entry was listed twice");
        const stayed = seen.filter((n) => n % 2 === 0);
        assert.deepEqual(stayed, reverse ? evens(size).reverse() : evens(size));
      }
    },
  },
  {
    id: "SCN-031",
    law: "Writing an entry again during a scan does not list it again.",
    async run(t) {
      const channel = await t.channel();
      await fill(channel, upTo(600));
      const seen: number[] = [];
      for await (const { key, value } of channel.entries()) {
        seen.push(Number(key));
        if (Number(key) % 50 === 0) await channel.set(key, value);
      }
      assert.deepEqual(seen, upTo(600));
    },
  },
  {
    id: "SCN-032",
    law: "Deleting each entry as it is listed deletes them all and lists each once.",
    scales: true,
    async run(t) {
      const channel = await t.channel();
      const size = t.scale(510, 550, 1_500);
      await fill(channel, upTo(size));
      const seen: number[] = [];
      for await (const { key } of channel.keys()) {
        seen.push(Number(key));
        await channel.unset(key);
      }
      assert.deepEqual(seen, upTo(size));
      assert.equal(await channel.size(), 0);
    },
  },
  {
    id: "SCN-033",
    law: "Stopping scans in the middle, however often, leaves nothing behind that stops the store from working.",
    scales: true,
    async run(t) {
      const channel = await t.channel();
      await fill(channel, upTo(520));
      for (let i = 0; i < t.scale(50, 300, 3_000); i++) {
        for await (const _ of channel.entries()) break;
      }
      await channel.set(0, "written");
      assert.equal(await channel.get(0), "written");
    },
  },
  {
    id: "SCN-034",
    law: "Scans that run at the same time do not disturb each other.",
    async run(t) {
      const channel = await t.channel();
      await fill(channel, upTo(620));
      const scans = [true, false, true, false].map((reverse) => collect(channel.keys({ reverse })));
      for (const [i, found] of (await Promise.all(scans)).entries()) {
        const keys = found.map(({ key }) => key);
        assert.deepEqual(keys, i % 2 === 0 ? upTo(620).reverse() : upTo(620));
      }
    },
  },
  {
    id: "SCN-035",
    law: "A scan whose signal fires rejects with ABORTED.",
    async run(t) {
      const channel = await t.channel();
      await fill(channel, upTo(1_100));
      const stop = new AbortController();
      let seen = 0;
      await rejectsWith(async () => {
        for await (const _ of channel.entries({ signal: stop.signal })) if (++seen === 10) stop.abort();
      }, "ABORTED");
      assert.ok(seen < 1_100, "the scan went on to the end");
    },
  },
];

function evens(below: number): number[] {
  return upTo(below / 2).map((n) => n * 2);
}
