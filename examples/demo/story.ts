import type { DemoProcess } from "./world/process.js";
import type { Times } from "./world/times.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The actions of the story on the processes. */
export interface Stage {
  /** Starts a process that runs the fleet. */
  start(instance: string): Promise<void>;
  /** Kills the process that runs this job. */
  killHolderOf(job: string): void;
  killAll(): void;
  /** An action of an operator, in its own process. */
  operator(act: (one: DemoProcess) => Promise<unknown>): Promise<void>;
}

/** Something that happens in the week. */
export interface Scene {
  readonly at: number;
  readonly what: (stage: Stage) => Promise<void> | void;
}

/** What happens in the week beside the ticks, in order. Scenes outside of the week are left out. */
export function storyOf({ start, end, outage }: Times): readonly Scene[] {
  const today = Math.floor(end / DAY) * DAY;
  const night = Math.floor((end - 41 * MINUTE) / DAY) * DAY + 40 * MINUTE;
  const scenes: Scene[] = [
    { at: start, what: (stage) => stage.start("worker-a") },
    { at: start + MINUTE, what: (stage) => stage.start("worker-b") },

    { at: outage.from - MINUTE / 2, what: (stage) => stage.killAll() },
    { at: outage.to, what: (stage) => stage.start("worker-a2") },
    { at: outage.to + 2 * MINUTE, what: (stage) => stage.start("worker-b2") },
    {
      at: outage.to + 6 * HOUR,
      what: (stage) =>
        stage.operator(({ scheduler }) => {
          const { from, to } = outage;
          const reason = "the power cut: customers miss their data";
          return scheduler.backfill("customer-import", { from, to, reason, author: "ben" });
        }),
    },

    // The process with the videos runs out of memory.
    { at: today - DAY + 9 * HOUR + 31.7 * MINUTE, what: (stage) => stage.killHolderOf("video-transcode") },
    { at: today - DAY + 9.75 * HOUR, what: (stage) => stage.start("worker-c") },

    {
      at: today - DAY + 12.6 * HOUR,
      what: (stage) =>
        stage.operator(({ manager }) =>
          manager.unlock("video-transcode", { reason: "hangs after clip 5, see #4711", author: "ben" }),
        ),
    },
    {
      at: today - DAY + 14 * HOUR + 4 * MINUTE,
      what: (stage) =>
        stage.operator(({ manager }) => manager.cancel("search-index", { reason: "the wrong index", author: "ana" })),
    },
    {
      at: Math.max(today - 2 * DAY + 10 * HOUR + 12 * MINUTE, start + 2 * HOUR),
      what: (stage) =>
        stage.operator(({ scheduler }) =>
          scheduler.pause("gdpr-erase", { reason: "legal wants to look at the list first", author: "ana" }),
        ),
    },
    {
      at: today - DAY + 15 * HOUR,
      what: (stage) =>
        stage.operator(({ scheduler }) => {
          const until = today - DAY + 17 * HOUR;
          return scheduler.pause("price-feed", { reason: "the prices are reviewed", author: "cleo", until });
        }),
    },
    {
      at: today - DAY + 16 * HOUR + 3 * MINUTE,
      what: (stage) =>
        stage.operator(({ scheduler }) =>
          scheduler.runNow("cert-check", { reason: "mail.example.com has a new certificate", author: "ben" }),
        ),
    },
    {
      at: night,
      what: (stage) =>
        stage.operator(({ manager }) => {
          const reason = "the schema of the archive changes";
          return manager.hold("archive-tables", { reason, author: "ben", until: end + 30 * HOUR, wait: 10_000 });
        }),
    },
  ];
  return scenes.filter(({ at }) => at >= start && at < end - 5 * MINUTE).sort((one, other) => one.at - other.at);
}
