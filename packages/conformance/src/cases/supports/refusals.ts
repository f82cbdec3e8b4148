import assert from "node:assert/strict";
import { isChannelError } from "@ojm/core";
import type { CaseContext } from "../../case/context.js";
import type { Capability } from "../../harness/harness.js";
import { rejectsWith } from "../../support/assert.js";
import { listener, rawKey, rawRange, readOne } from "../../support/raw.js";

/**
 * How a backend must refuse what it does not declare. `ttl` and `watch` call the backend itself as well as a
 * channel: core refuses in place of the backend, so a channel alone does not show that the backend refuses
 * too.
 */
export const refusals: Readonly<Record<Capability, (t: CaseContext) => Promise<void>>> = {
  async severalProcesses(t) {
    await t.main();
    const error: unknown = await t.remote().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(isChannelError(error), `a second process opened the store, or failed otherwise: ${String(error)}`);
    assert.equal(error.code, "IN_USE");
  },
  async ttl(t) {
    const channel = await t.channel();
    await rejectsWith(channel.set("brief", 1, { ttl: 1_000 }), "NOT_SUPPORTED");
    const backend = await t.main();
    const key = rawKey(t.name, "brief");
    await rejectsWith(() => backend.commit({ checks: [], writes: [{ key, value: "1", ttl: 1_000 }] }), "NOT_SUPPORTED");
    assert.equal(await readOne(backend, key), undefined, "a refused write was applied");
  },
  async watch(t) {
    const channel = await t.channel();
    await rejectsWith(channel.watch().next(), "NOT_SUPPORTED");
    const backend = await t.main();
    await rejectsWith(() => backend.watch(rawRange(t.name), listener()), "NOT_SUPPORTED");
  },
  async commitAcrossChannels(t) {
    const one = await t.channel();
    const other = await t.channel({ name: t.freshName() });
    await rejectsWith(
      one.commitWith([{ put: "here", value: 1 }], [{ channel: other, ops: [{ put: "there", value: 1 }] }]),
      "NOT_SUPPORTED",
    );
    assert.equal(await one.get("here"), undefined, "a refused write was applied");
    assert.equal(await other.get("there"), undefined, "a refused write was applied");
  },
  async transactions(t) {
    const channel = await t.channel();
    await rejectsWith(channel.commitIn({}, [{ put: "k", value: 1 }]), "NOT_SUPPORTED");
    assert.equal(await channel.get("k"), undefined, "a refused write was applied");
  },
};
