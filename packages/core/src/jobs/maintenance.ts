import type { Channel, ChannelOps } from "../channel/channel.js";
import { readable } from "../channel/corrupt.js";
import { compareVersions } from "../channel/encoding/version.js";
import type { Key, Version } from "../channel/types.js";
import { type Followed, follow } from "../channel/watch/follow.js";
import type { Clock } from "../util/clock.js";
import { first } from "../util/iterate.js";
import { matchesName } from "../util/names.js";
import { fieldsOf, isOptional, isText, isTime } from "../util/shape.js";
import { visible } from "../util/text.js";
import type { Maintenance } from "./types.js";

/*
 * Maintenance is one entry in the channel of the locks, and not a pause in each schedule and queue: a job
 * that is added meanwhile is covered, and the end needs no memory of what was paused before. Each start of
 * a tick or an item checks the version of the entry in the commit that takes the lock: once the entry is
 * written, nothing more begins, however late the watch of a process is.
 */

/** The key of the entry with all maintenance of a store. */
export const MAINTENANCE: readonly string[] = ["maintenance"];

/** The value of the entry. An item of another form comes from a later version of ojm, and stays. */
export interface MaintenanceValue {
  readonly all: readonly unknown[];
}

/** Whether a value is the entry of the maintenance, perhaps with items of a later version. */
export function isMaintenanceValue(value: unknown): value is MaintenanceValue {
  return Array.isArray(fieldsOf<MaintenanceValue>(value)?.all);
}

/** Whether an item is a maintenance that this version knows. */
export function isMaintenance(item: unknown): item is Maintenance {
  const { names, reason, by, at, until } = fieldsOf<Maintenance>(item) ?? {};
  return isText(names) && isText(reason) && isText(by) && isTime(at) && isOptional(until, isTime);
}

const endOf = ({ until = Number.POSITIVE_INFINITY }: Maintenance): number => until;

/** The maintenance in a value that is not over at `now`, the one that ends last first. */
export function maintenanceIn(value: unknown, now: number): Maintenance[] {
  const all = isMaintenanceValue(value) ? value.all.filter(isMaintenance) : [];
  // The difference of two infinite ends is not a number.
  return all
    .filter((one) => endOf(one) > now)
    .sort((a, b) => (endOf(a) === endOf(b) ? a.at - b.at : endOf(b) - endOf(a)));
}

/** The maintenance that keeps a name from running: of several, the one that ends last. */
export function maintenanceOf(all: readonly Maintenance[], name: string): Maintenance | undefined {
  return all.find(({ names }) => matchesName(names, name));
}

/** A maintenance in words, safe to show on a terminal. */
export function maintenanceText({ names, by, until, reason }: Maintenance): string {
  const of = names === "*" ? "maintenance" : `maintenance of ${visible(names)}`;
  const end = until === undefined ? "until it is ended" : `until ${new Date(until).toISOString()}`;
  return `${of} by ${visible(by)} ${end}: ${visible(reason)}`;
}

/** A key that has more parts is none that ojm writes. */
const isOurKey = (key: Key): boolean => (key as readonly unknown[]).length === MAINTENANCE.length;

/** The entry, even if it cannot be decoded. It comes before those with longer keys. */
async function readEntry(
  channel: Channel<unknown>,
): Promise<{ readonly version: Version | null; readonly value: unknown }> {
  const found = await first(readable(channel, { prefix: MAINTENANCE, limit: 1 }));
  return found !== undefined && isOurKey(found.key) ? found : { version: null, value: undefined };
}

/** Reads the current maintenance, the one that ends last first. */
export async function readMaintenance(channel: Channel<unknown>, now: number): Promise<Maintenance[]> {
  return maintenanceIn((await readEntry(channel)).value, now);
}

/** The maintenance of a store as a process knows it, for the starts that must obey it. */
export class KnownMaintenance implements Followed<unknown> {
  readonly #channel: Channel<unknown>;
  readonly #clock: Clock;
  #value: unknown;
  #version: Version | null = null;
  /** How often it has changed here. */
  #changes = 0;
  #changed: () => void = () => {};

  constructor(channel: Channel<unknown>, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
  }

  /** The maintenance that keeps a name from running now. */
  of(name: string, now: number = this.#clock.now()): Maintenance | undefined {
    return this.#value === undefined ? undefined : maintenanceOf(maintenanceIn(this.#value, now), name);
  }

  /**
   * The check that no maintenance keeps a name from running, for the commit of a start. A start that waited
   * for its lock was planned before a maintenance that is known by now: then there must be no entry. If it
   * fails: {@link read}.
   */
  check(name: string): ChannelOps<unknown> {
    const version = this.of(name) === undefined ? this.#version : null;
    return { channel: this.#channel, ops: [{ check: MAINTENANCE, version }] };
  }

  /** Reads it again. */
  async read(): Promise<void> {
    const before = this.#changes;
    const { version, value } = await readEntry(this.#channel);
    // What the watch has reported meanwhile may be newer. If it is older, the next check fails.
    if (before === this.#changes && version !== this.#version) this.#set(version, value);
  }

  /** Follows it, until `signal` fires. `changed`: called at each change. Resolves once it is known. */
  follow(signal: AbortSignal, changed: () => void): Promise<void> {
    this.#changed = changed;
    return follow(this.#channel, this.#clock, MAINTENANCE, this, signal);
  }

  put(key: Key, value: unknown, version: Version): void {
    if (!isOurKey(key)) return;
    // This process may have read a newer version than the watch reports.
    if (this.#version === null || compareVersions(version, this.#version) > 0) this.#set(version, value);
  }

  gone(key: Key): void {
    if (!isOurKey(key)) return;
    // If a newer one was read, the next check fails, and it is read again.
    this.#set(null, undefined);
  }

  #set(version: Version | null, value: unknown): void {
    [this.#version, this.#value] = [version, value];
    this.#changes++;
    this.#changed();
  }

  synced(): void {}
}
