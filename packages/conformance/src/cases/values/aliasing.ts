import assert from "node:assert/strict";
import type { JsonValue } from "@ojm/core";
import type { Case } from "../../case/case.js";
import { rawKey, readOne, write } from "../../support/raw.js";

type Mutable = { list: number[]; inner: { n: number } };

/** The store shares no object with its callers. */
export const aliasing: readonly Case[] = [
  {
    id: "VAL-020",
    law: "Changing an object after it was written changes nothing in the store.",
    async run(t) {
      const channel = await t.channel();
      const value: Mutable = { list: [1], inner: { n: 1 } };
      const writing = channel.set("k", value);
      value.list.push(2);
      await writing;
      value.inner.n = 2;
      assert.deepEqual(await channel.get("k"), { list: [1], inner: { n: 1 } });
    },
  },
  {
    id: "VAL-021",
    law: "Changing a value that a read, a list, a lost race or a watch returned changes nothing in the store.",
    async run(t) {
      const channel = await t.channel();
      const written = { list: [1], inner: { n: 1 } };
      const version = await channel.set("k", written);
      const spoil = (value: JsonValue | undefined): void => {
        const mutable = value as unknown as Mutable;
        mutable.list.push(99);
        mutable.inner.n = 99;
      };
      spoil(await channel.get("k"));
      spoil((await channel.entry("k"))?.value);
      for (const value of await channel.getAll()) spoil(value);
      const lost = await channel.compareAndSet("k", null, 0);
      assert.ok(!lost.ok);
      spoil(lost.current?.value);
      assert.deepEqual(await channel.entry("k"), { key: "k", value: written, version });
    },
  },
  {
    id: "VAL-022",
    law: "A backend keeps no hold on what it was handed and hands out nothing that it keeps.",
    async run(t) {
      const backend = await t.main();
      const key = rawKey(t.name, "k");
      const put = { key, value: '"written"' };
      const version = await write(backend, put);
      put.value = '"spoilt"';
      const first = await readOne(backend, key);
      if (first !== undefined && !Object.isFrozen(first)) Object.assign(first, { value: '"spoilt"', version: "1" });
      const range = { from: key, to: `${key}\x01` };
      const page = await backend.scan({ ...range, reverse: false, limit: 1, values: true });
      for (const entry of page.entries) if (!Object.isFrozen(entry)) Object.assign(entry, { value: '"spoilt"' });
      assert.deepEqual(await readOne(backend, key), { key, value: '"written"', version });
    },
  },
];
