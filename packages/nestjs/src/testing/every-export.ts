/*
 * A Nest application with every export of the package. `npm run nodes` compiles it, as strictly as possible,
 * against each line of Nest that the package supports. It is not run.
 */
import { type CanActivate, type ExecutionContext, Injectable, Module } from "@nestjs/common";
import type { Run } from "@ojm/core";
import {
  Cron,
  CronExpression,
  type CronJobLike,
  type CronOptions,
  Interval,
  type JobOptions,
  Ojm,
  type OjmHealth,
  OjmHealthIndicator,
  OjmModule,
  type OjmOptions,
  type RegisteredCronJob,
  SchedulerRegistry,
  Timeout,
  type TimeoutOptions,
} from "@ojm/nestjs";
import { OjmUiModule, type OjmUiOptions } from "@ojm/nestjs/ui";

const nightly: CronOptions = { name: "nightly", timeZone: "Europe/Lisbon", missed: "latest", retry: { attempts: 3 } };
const often: JobOptions = { overlap: "queue", timeout: "5m" };
const once: TimeoutOptions = { once: { key: "2026-12", keep: "40d" }, wait: "5m" };

@Injectable()
class Tasks {
  @Cron(CronExpression.EVERY_DAY_AT_2AM, nightly)
  async nightly(run: Run): Promise<number> {
    run.signal.throwIfAborted();
    return run.attempt;
  }

  // @ts-expect-error: a text is no time
  @Interval("often")
  @Interval("often", 60_000, often)
  often(): void {}

  // @ts-expect-error: `missed` is an option of schedules
  @Timeout(1_000, { missed: "latest" })
  @Timeout(1_000, once)
  once(): void {}
}

@Injectable()
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ readonly user?: string }>().user !== undefined;
  }
}

const options: OjmOptions = { store: "memory:", grace: "20s", intervals: false, manager: { ttl: "10s" } };
const ui: OjmUiOptions<{ readonly user: string }> = {
  guards: [UserGuard],
  viewer: ({ user }) => ({ user, role: "read" }),
};

/** A value of this application, from all that the module provides. */
async function use(ojm: Ojm, registry: SchedulerRegistry, indicator: OjmHealthIndicator, job: CronJobLike) {
  registry.addCronJob("added", job);
  registry.addTimeout(
    "own",
    setTimeout(() => {}, 1_000),
  );
  const added: RegisteredCronJob = registry.getCronJob("added");
  const health: OjmHealth | undefined = (await indicator.isHealthy())["ojm"];
  await ojm.scheduler.runNow("nightly", { reason: "to try it" });
  return [added.nextDate(), health?.status, await ojm.isReady()] as const;
}

@Module({
  imports: [OjmModule.forRoot(options), OjmUiModule.forRoot(ui)],
  providers: [Tasks, { provide: "used", useFactory: use, inject: [Ojm, SchedulerRegistry, OjmHealthIndicator, "job"] }],
})
export class One {}

@Module({ imports: [OjmModule.forRootAsync({ useFactory: async () => options })], providers: [Tasks] })
export class Other {}
