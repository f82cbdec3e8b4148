import type { CallOptions, Commit, CommitOutcome, StoredEntry } from "@ojm/core/backend";
import { isSession } from "../../../packages/core/src/testing/simulation/entry-kinds.js";
import { Planted, type PlantedBug } from "../../../packages/core/src/testing/simulation/planted-bugs.js";
import type { Version } from "../scene/events.js";

/** A bug of two versions that share a store. Nothing is wrong where all processes have the same version. */
export interface MixedBug extends Pick<PlantedBug, "name"> {
  plant(store: Planted["store"], clock: Planted["clock"], version: Version): Planted;
}

/** Writes its version into its sessions, and takes the sessions of the other version for dead. */
class OthersAreDead extends Planted {
  version: Version | undefined;

  override async commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const marked = writes.map((write) => {
      if (!isSession(write.key) || write.value === null) return write;
      return { ...write, value: JSON.stringify({ ...JSON.parse(write.value), version: this.version }) };
    });
    return super.commit({ checks, writes: marked }, options);
  }

  override async read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    const isOther = ({ key, value }: StoredEntry): boolean =>
      isSession(key) && JSON.parse(value).version !== this.version;
    return (await super.read(keys, options)).map((entry) => (entry && isOther(entry) ? undefined : entry));
  }
}

export const mixedBugs: readonly MixedBug[] = [
  {
    name: "sessions of the other version count as dead",
    plant: (store, clock, version) => Object.assign(new OthersAreDead(store, clock), { version }),
  },
];
