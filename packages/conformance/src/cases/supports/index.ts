import assert from "node:assert/strict";
import type { CaseGroup } from "../../case/case.js";
import { Skip } from "../../case/skip.js";
import { rejectsWith } from "../../support/assert.js";

/** The largest limit to try, in bytes. Trying a larger one costs more memory and time than it is worth. */
const LARGEST_TRY = 8 * 1_048_576;

/**
 * The backend does what its manifest declares, neither more nor less. Cases that need an undeclared
 * capability check that the backend refuses it.
 */
export const supports: CaseGroup = {
  prefix: "SUP",
  title: "what is declared",
  cases: [
    {
      id: "SUP-001",
      law: "The manifest is complete, of the right types, and frozen.",
      async run(t) {
        const { supports } = t;
        assert.ok(Object.isFrozen(supports), "supports is not frozen");
        assert.ok(["process", "host", "network"].includes(supports.shared), `shared: ${supports.shared}`);
        assert.ok(["none", "process", "host"].includes(supports.durability), `durability: ${supports.durability}`);
        for (const flag of ["commitAcrossChannels", "ttl", "watch"] as const) {
          assert.equal(typeof supports[flag], "boolean", flag);
        }
        // Taking a lock needs three checks and two writes, and its run record comes with it.
        assert.ok(Number.isInteger(supports.maxOps) && supports.maxOps >= 8, `maxOps: ${supports.maxOps}`);
        assert.ok(supports.maxKeyBytes >= 256, `maxKeyBytes: ${supports.maxKeyBytes}`);
        assert.ok(supports.maxValueBytes >= 4_096, `maxValueBytes: ${supports.maxValueBytes}`);
      },
    },
    {
      id: "SUP-002",
      law: "Every client declares the same manifest.",
      async run(t) {
        const [one, two] = await t.clients(2);
        assert.deepEqual(one?.supports, two?.supports);
      },
    },
    {
      id: "SUP-003",
      law: "A commit with the declared maximum of ops works; with one more it is refused as a whole.",
      scales: true,
      async run(t) {
        const channel = await t.channel();
        const { maxOps } = t.supports;
        const most = Math.min(maxOps, t.scale(200, 2_000, 20_000));
        const checks = Math.floor(most / 2);
        const ops = Array.from({ length: most }, (_, n) =>
          n < checks ? { check: n, version: null } : { put: n - checks, value: n },
        );
        const result = await channel.commit(ops);
        assert.ok(result.ok, "the largest commit was refused");
        assert.equal(await channel.size(), most - checks);
        const tooMany = Array.from({ length: maxOps + 1 }, (_, n) => ({ put: `more ${n}`, value: n }));
        await rejectsWith(() => channel.commit(tooMany), "TOO_LARGE");
        assert.equal(await channel.size(), most - checks, "part of a commit that was refused was applied");
      },
    },
    {
      id: "SUP-004",
      law: "A key with the declared maximum of bytes works; a longer one is refused.",
      scales: true,
      async run(t) {
        const channel = await t.channel();
        const { maxKeyBytes } = t.supports;
        // The name of the channel, a space, the quote before the text and the space after it count too.
        const around = Buffer.byteLength(t.name) + 3;
        const longest = "k".repeat(Math.min(maxKeyBytes, t.scale(65_536, 1_048_576, LARGEST_TRY)) - around);
        await channel.set(longest, "long");
        await channel.set(`${longest.slice(0, -1)}l`, "another");
        assert.equal(await channel.get(longest), "long");
        assert.deepEqual(await channel.getAll(), ["long", "another"]);
        await channel.unset(longest);
        assert.equal(await channel.size(), 1);
        if (maxKeyBytes > LARGEST_TRY) throw new Skip(`keys up to ${maxKeyBytes} bytes are too large to try`);
        await rejectsWith(() => channel.set("k".repeat(maxKeyBytes - around + 1), 1), "TOO_LARGE");
        // Each character has three bytes: a limit in characters would let this key pass.
        await rejectsWith(() => channel.set("\u20ac".repeat(Math.ceil(maxKeyBytes / 3)), 1), "TOO_LARGE");
      },
    },
    {
      id: "SUP-005",
      law: "A value with the declared maximum of bytes is read back whole; a larger one is refused.",
      scales: true,
      async run(t) {
        const channel = await t.channel();
        const { maxValueBytes } = t.supports;
        const largest = "\u20ac".repeat(
          Math.floor((Math.min(maxValueBytes, t.scale(65_536, 2_097_152, LARGEST_TRY)) - 2) / 3),
        );
        await channel.set("k", largest);
        assert.ok((await channel.get("k")) === largest, "a large value was read back changed");
        assert.ok((await channel.getAll())[0] === largest, "a large value was listed changed");
        if (maxValueBytes > LARGEST_TRY) return;
        const error = await rejectsWith(() => channel.set("k", "v".repeat(maxValueBytes - 1)), "TOO_LARGE");
        assert.equal(error.outcome, "not-applied");
        assert.ok((await channel.get("k")) === largest, "a value that was refused was written");
      },
    },
  ],
};
