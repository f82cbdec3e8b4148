import { setTimeout as pause } from "node:timers/promises";
import { Injectable, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { Run } from "@ojm/core";
import { Cron, Interval, OjmModule, Timeout } from "../index.js";

/*
 * A replica of a Nest application, which runs until SIGTERM. Arguments: the store, the cron expression of its
 * job, and how long a run takes, in ms. Notifies its parent when it is ready.
 */
const [store = "", expression = "", takes = "0"] = process.argv.slice(2);

const RETRY = { attempts: 5, delay: 100, onLost: true } as const;

/** When a method began and ended, in ms since 1970. */
interface Span {
  readonly began: number;
  readonly ended: number;
}

async function spanOf(work: () => Promise<unknown>): Promise<Span> {
  const began = Date.now();
  await work();
  return { began, ended: Date.now() };
}

@Injectable()
class Tasks {
  @Cron(expression, { name: "tick", timeZone: "UTC", overlap: "queue", missed: "all", retry: RETRY })
  async tick(run: Run): Promise<Span> {
    return spanOf(() => pause(Number(takes), undefined, { signal: run.signal }));
  }

  @Interval(1_000)
  each(): void {}

  @Timeout(0)
  start(): Promise<Span> {
    return spanOf(() => pause(50));
  }
}

@Module({ imports: [OjmModule.forRoot({ store, grace: "60s" })], providers: [Tasks] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ["error", "warn"] });
app.enableShutdownHooks(["SIGTERM"]);
process.send?.("ready");
