import { type FSWatcher, watch } from "node:fs";
import { createWakeFile, removeWakeFile, wakeFile } from "./wake-file.js";

/** How often to look without being called, in ms: where the system has no notifications, or who committed died before it called. */
const POLL = 250;

/** What a wakeup calls. */
export interface WakeupEvents {
  /** Somebody committed what this watcher watches. It can be read by now. */
  wake(): void;
  /** Called every {@link POLL}. */
  poll(): void;
}

/** Waits for others to touch the wake file of a watcher. Keeps no process alive. */
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

  /** Begins for the watcher `id`. What was committed before this returns has to be looked for. */
  start(id: number): void {
    this.stop();
    this.#id = id;
    this.#arm();
    this.#poll = setInterval(() => this.#polled(), POLL).unref();
  }

  /** Ends, and removes the wake file. */
  stop(): void {
    if (this.#poll === undefined) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
    this.#disarm();
    removeWakeFile(this.#file, this.#id);
  }

  #polled(): void {
    this.#events.poll();
    // In this order, as the poll finds out whether this is a watcher still: nobody would remove the file of one that is none.
    if (this.#poll === undefined || this.#watcher !== undefined) return;
    this.#arm();
    this.#events.wake();
  }

  #arm(): void {
    try {
      createWakeFile(this.#file, this.#id);
      this.#watcher = watch(wakeFile(this.#file, this.#id), { persistent: false }, (event) => {
        // It was deleted: nobody can touch it any more.
        if (event === "rename") this.#disarm();
        this.#events.wake();
      });
      this.#watcher.on("error", () => this.#disarm());
    } catch {
      // The disk is full, or no notifications are left (inotify has a limit per user): the poll does, and tries again.
      this.#disarm();
    }
  }

  #disarm(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
