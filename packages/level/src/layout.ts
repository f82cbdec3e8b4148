import { ChannelError, type Clock } from "@ojm/core/backend";

/** When an entry expires, by both clocks of the host. */
export interface Deadline {
  /** The boot to which `monotonic` belongs. */
  readonly boot: string;
  /** In ms of the monotonic clock. Valid until the host restarts. */
  readonly monotonic: number;
  /** In ms since 1970 by the wall clock. Valid after a restart of the host. */
  readonly wall: number;
}

/** An entry in the database. */
export interface StoredRecord {
  readonly version: string;
  readonly value: string;
  readonly deadline?: Deadline;
}

// The value stays text: parsing it and encoding it again would cost more than the store itself.
const HEAD = /^\{"version":"(\d+)"(?:,"deadline":(\{[^{}]*\}))?,"value":/;

/** Encodes a record as JSON, so that any tool can read it. */
export function encodeRecord({ version, value, deadline }: StoredRecord): string {
  const end = deadline === undefined ? "" : `,"deadline":${JSON.stringify(deadline)}`;
  return `{"version":"${version}"${end},"value":${value}}`;
}

/**
 * Decodes a text of {@link encodeRecord}.
 *
 * @throws ChannelError `CORRUPT` for any other text
 */
export function decodeRecord(key: string, text: string): StoredRecord {
  const head = HEAD.exec(text);
  if (head === null || !text.endsWith("}")) {
    throw new ChannelError("CORRUPT", `the entry ${JSON.stringify(key)} was not written by ojm`);
  }
  const [beginning, version = "", deadline] = head;
  const value = text.slice(beginning.length, -1);
  return deadline === undefined ? { version, value } : { version, value, deadline: JSON.parse(deadline) as Deadline };
}

/** The clock of a store whose entries survive a restart of the host. */
export class StoreClock {
  readonly #clock: Clock;
  readonly #boot: string;

  /** @param boot the id of the boot of the host; "" if the system has none */
  constructor(clock: Clock, boot: string) {
    this.#clock = clock;
    // Without a boot id, the monotonic clock is valid only within this process.
    this.#boot = boot === "" ? `process-${clock.random(12)}` : boot;
  }

  deadline(ttl: number): Deadline {
    return { boot: this.#boot, monotonic: this.#clock.monotonic() + ttl, wall: this.#clock.now() + ttl };
  }

  /** The time to the deadline, in ms; 0 or less once it has passed. */
  left({ boot, monotonic, wall }: Deadline): number {
    // Within a boot, ignore the wall clock: it may be set.
    return boot === this.#boot ? monotonic - this.#clock.monotonic() : wall - this.#clock.now();
  }
}
