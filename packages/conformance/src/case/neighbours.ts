import assert from "node:assert/strict";
import { type Channel, openChannel } from "@ojm/core";
import type { Backend } from "@ojm/core/backend";

/**
 * Channels whose names resemble that of the channel under test. No case writes to them, so a change to one of
 * their entries was meant for another channel.
 */
export class Neighbours {
  readonly #names: readonly string[];
  readonly #versions: Map<string, string> = new Map();

  constructor(name: string) {
    this.#names = [name.slice(0, -1), `${name}~`, `${name}*`, `${name}:neighbour`, ` ${name}`, name.toUpperCase()];
  }

  /** Writes one entry to each neighbour. */
  async settle(by: Backend): Promise<void> {
    await this.#each(by, async (channel) => {
      this.#versions.set(channel.name, await channel.set("here", { channel: channel.name }));
    });
  }

  /** Throws if any neighbour was changed. */
  async check(by: Backend): Promise<void> {
    await this.#each(by, async (channel) => {
      const where = `the channel ${JSON.stringify(channel.name)}, a neighbour of the one under test,`;
      const entry = await channel.entry("here");
      assert.deepEqual(entry?.value, { channel: channel.name }, `${where} lost its entry or had it overwritten`);
      assert.equal(entry?.version, this.#versions.get(channel.name), `${where} had its entry written again`);
      assert.equal(await channel.size(), 1, `${where} was written to`);
    });
  }

  async #each(by: Backend, visit: (channel: Channel) => Promise<void>): Promise<void> {
    await Promise.all(
      this.#names.map(async (name) => {
        const channel = await openChannel(name, { backend: by });
        await visit(channel);
        await channel.close();
      }),
    );
  }
}
