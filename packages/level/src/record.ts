import { ChannelError, type Clock } from "@ojm/core/backend";

/** When an entry expires, by both clocks of the host. */
export interface Deadline {
  /** The boot whose monotonic clock `monotonic` was read from. */
  readonly boot: string;
  /** Monotonic ms. Counts as long as the host has not been started again. */
  readonly monotonic: number;
  /** Wall-clock ms since 1970. Counts after that. */
  readonly wall: number;
}

/** An entry as it lies in the database. */
export interface StoredRecord {
  readonly version: string;
  readonly value: string;
  readonly deadline?: Deadline;
}

// The value is kept as the text that it came as: parsing it only to write it again would cost more than the store does.
const HEAD = /^\{"version":"(\d+)"(?:,"deadline":(\{[^{}]*\}))?,"value":/;

/** The text of a record: JSON, so that it can be read with any tool. */
export function encodeRecord({ version, value, deadline }: StoredRecord): string {
  const end = deadline === undefined ? "" : `,"deadline":${JSON.stringify(deadline)}`;
  return `{"version":"${version}"${end},"value":${value}}`;
}

/** @throws ChannelError `CORRUPT` for what {@link encodeRecord} has not written */
export function decodeRecord(key: string, text: string): StoredRecord {
  const head = HEAD.exec(text);
  if (head === null || !text.endsWith("}")) {
    throw new ChannelError("CORRUPT", `the entry ${JSON.stringify(key)} was not written by ojm`);
  }
  const [beginning, version = "", deadline] = head;
  const value = text.slice(beginning.length, -1);
  return deadline === undefined ? { version, value } : { version, value, deadline: JSON.parse(deadline) as Deadline };
}

/** The clock of a store whose entries outlive the boot of the host. */
export class StoreClock {
  readonly #clock: Clock;
  readonly #boot: string;

  /** @param boot names the boot of the host; "" if the system has no such name */
  constructor(clock: Clock, boot: string) {
    this.#clock = clock;
    // Where boots have no names, the monotonic clock is trusted as long as the process lives.
    this.#boot = boot === "" ? `process-${clock.random(12)}` : boot;
  }

  deadline(ttl: number): Deadline {
    return { boot: this.#boot, monotonic: this.#clock.monotonic() + ttl, wall: this.#clock.now() + ttl };
  }

  /** Milliseconds until the deadline; 0 or less once it is reached. */
  left({ boot, monotonic, wall }: Deadline): number {
    // Within a boot the wall clock says nothing: somebody may set it.
    return boot === this.#boot ? monotonic - this.#clock.monotonic() : wall - this.#clock.now();
  }
}
