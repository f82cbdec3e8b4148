import { type FSWatcher, watch } from "node:fs";
import { createWakeFile, removeWakeFile, wakeFile } from "./wake-file.js";

/**
 * The interval of a look without a wake, in ms. It helps if the system has no notifications, or if the
 * committing process died before it woke this one.
 */
const POLL = 250;

/** The callbacks of a {@link Wakeup}. */
export interface WakeupEvents {
  /** Somebody committed a change to a watched key. It can be read by now. */
  wake(): void;
  /** Called every {@link POLL}. */
  poll(): void;
}

/** Watches the wake file of a watcher, which other processes touch. Keeps no process alive. */
export class Wakeup {
  readonly #file: string;
  readonly #events: WakeupEvents;
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #id = 0;

  constructor(file: string, events: WakeupEvents) {
    this.#file = file;
    this.#events = events;
  }

  /** Starts for the watcher `id`. Read the log once after this call: earlier commits wake nobody. */
  start(id: number): void {
    this.stop();
    this.#id = id;
    this.#arm();
    this.#poll = setInterval(() => this.#polled(), POLL).unref();
  }

  /** Stops, and removes the wake file. */
  stop(): void {
    if (this.#poll === undefined) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
    this.#disarm();
    removeWakeFile(this.#file, this.#id);
  }

  #polled(): void {
    this.#events.poll();
    // Check only after `poll()`, which may have stopped this watcher: nobody would remove a wake file created
    // after that.
    if (this.#poll === undefined || this.#watcher !== undefined) return;
    this.#arm();
    this.#events.wake();
  }

  #arm(): void {
    try {
      createWakeFile(this.#file, this.#id);
      this.#watcher = watch(wakeFile(this.#file, this.#id), { persistent: false }, (event) => {
        // Somebody deleted or moved the file, so nobody can touch it any more.
        if (event === "rename") this.#disarm();
        this.#events.wake();
      });
      this.#watcher.on("error", () => this.#disarm());
    } catch {
      // The disk is full, or the system has no notifications left (inotify has a limit per user). The poll
      // takes over, and tries again.
      this.#disarm();
    }
  }

  #disarm(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
