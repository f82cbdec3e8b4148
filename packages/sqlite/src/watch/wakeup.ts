import { type FSWatcher, watch } from "node:fs";
import { createWakeFile, removeWakeFile, wakeFile } from "./wake-file.js";

/** The interval of polls without a wake, in ms: notifications may be missing, or a committing process die. */
const POLL = 250;

/**
 * The interval once the wake file has woken this process, in ms. From then on, the poll is needed only if
 * another process dies after its commit and before it wakes this one. A waiter for a lock notices such a
 * death by itself, and sooner.
 */
const POLL_BESIDE_WAKES = 1_000;

/** The callbacks of a {@link Wakeup}. */
export interface WakeupEvents {
  /** A process committed a change to a watched key. The change can be read by now. */
  wake(): void;
  /** Called at each poll: see {@link POLL}. */
  poll(): void;
}

/** Watches the wake file of a watcher, which other processes touch. Keeps no process alive. */
export class Wakeup {
  readonly #file: string;
  readonly #events: WakeupEvents;
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #id = 0;
  /** Whether the file has woken this process: on another machine's volume, notifications may never come. */
  #isProven = false;
  /** Whether the next poll is due later than after {@link POLL}. */
  #isRare = false;

  constructor(file: string, events: WakeupEvents) {
    this.#file = file;
    this.#events = events;
  }

  /** Starts for the watcher `id`. Read the log once after it: earlier commits do not wake this process. */
  start(id: number): void {
    this.stop();
    this.#id = id;
    this.#arm();
    this.#pollIn(POLL);
  }

  /** Call it if something waits for the next poll. */
  soon(): void {
    if (this.#isRare) this.#pollIn(POLL);
  }

  #pollIn(ms: number): void {
    clearTimeout(this.#poll);
    this.#isRare = ms > POLL;
    this.#poll = setTimeout(() => this.#polled(), ms).unref();
  }

  /** Stops, and removes the wake file. */
  stop(): void {
    if (this.#poll === undefined) return;
    clearTimeout(this.#poll);
    this.#poll = undefined;
    this.#isRare = false;
    this.#disarm();
    removeWakeFile(this.#file, this.#id);
  }

  #polled(): void {
    this.#events.poll();
    // Check after `poll()`, which may have stopped this watcher: a new wake file would stay.
    if (this.#poll === undefined) return;
    this.#pollIn(this.#isProven ? POLL_BESIDE_WAKES : POLL);
    if (this.#watcher !== undefined) return;
    this.#arm();
    this.#events.wake();
  }

  #arm(): void {
    try {
      createWakeFile(this.#file, this.#id);
      this.#watcher = watch(wakeFile(this.#file, this.#id), { persistent: false }, (event) => {
        // The file was deleted or moved, so other processes can no longer touch it.
        if (event === "rename") this.#disarm();
        else this.#isProven = true;
        this.#events.wake();
      });
      this.#watcher.on("error", () => this.#disarm());
    } catch {
      // The disk is full, or the user has no inotify watches left. The poll takes over, and tries again.
      this.#disarm();
    }
  }

  #disarm(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#isProven = false;
  }
}
