import { type FSWatcher, watch } from "node:fs";

/** How often to look without being called, in ms: where the system has no notifications, or has lost one. */
const POLL = 250;

/** When to look again after a notification, in ms: it can come before the commit that caused it can be seen. */
const LATER = [1, 4] as const;

/** Calls back whenever the write-ahead log may have grown, by whichever process. Keeps no process alive. */
export class Wakeup {
  readonly #wal: string;
  readonly #wake: () => void;
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #later: NodeJS.Timeout[] = [];
  #calledMeanwhile = false;

  constructor(file: string, wake: () => void) {
    this.#wal = `${file}-wal`;
    this.#wake = wake;
  }

  start(): void {
    this.#watch();
    this.#poll = setInterval(() => {
      if (this.#watcher === undefined) this.#watch();
      this.#wake();
    }, POLL).unref();
  }

  stop(): void {
    clearInterval(this.#poll);
    for (const timer of this.#later) clearTimeout(timer);
    this.#later = [];
    this.#unwatch();
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#wal, { persistent: false }, (event) => {
        // The log was deleted or replaced: what is watched is no longer what is written.
        if (event === "rename") this.#unwatch();
        this.#called();
      });
      this.#watcher.on("error", () => this.#unwatch());
    } catch {
      // No notifications left (inotify has a limit per user), or no log at this moment: the poll does, and tries again.
      this.#watcher = undefined;
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #called(): void {
    this.#wake();
    if (this.#later.length > 0) {
      this.#calledMeanwhile = true;
      return;
    }
    this.#lookLater();
  }

  #lookLater(): void {
    const [soon, last] = LATER;
    this.#later = [setTimeout(this.#wake, soon).unref(), setTimeout(() => this.#lookedLast(), last).unref()];
  }

  #lookedLast(): void {
    this.#later = [];
    this.#wake();
    if (!this.#calledMeanwhile) return;
    this.#calledMeanwhile = false;
    this.#lookLater();
  }
}
