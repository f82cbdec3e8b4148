import { Controller, Injectable, Logger, Module, Scope } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { isRunError, type Run } from "@ojm/core";
import { cronSchedule } from "@ojm/schedule";
import { describe, expect, it, vi } from "vitest";
import { collect } from "../../core/src/testing/settle.js";
import { Cron, CronExpression, Interval, Ojm, OjmHealthIndicator, OjmModule, Timeout } from "./index.js";
import { ownZone } from "./jobs.js";
import { appModule, openApp } from "./testing/app.js";

describe("OjmModule", () => {
  it("runs a method without a name at each tick as Class.method, with the run, the log and the record", async () => {
    let seen: Run | undefined;
    @Injectable()
    class Tasks {
      readonly word = "of its object";

      @Cron("* * * * * *")
      eachSecond(run: Run): string {
        seen = run;
        run.log.info("a line");
        return this.word;
      }
    }
    const app = await openApp([Tasks]);
    const { manager, scheduler } = app.get(Ojm);
    const done = async (): Promise<string | undefined> =>
      (await collect(manager.history({ name: "Tasks.eachSecond" }))).find(({ status }) => status === "completed")?.id;
    const id = await vi.waitUntil(done, { timeout: 60_000 });
    expect(seen).toMatchObject({ name: "Tasks.eachSecond", attempt: 1, tick: { schedule: "Tasks.eachSecond" } });
    expect(seen?.fence).toEqual(expect.any(String));
    const [record] = (await collect(manager.history({ name: "Tasks.eachSecond" }))).filter((one) => one.id === id);
    expect(record).toMatchObject({ trigger: "schedule", result: "of its object" });
    expect((await collect(scheduler.schedules())).map(({ name }) => name)).toEqual(["Tasks.eachSecond"]);
  });

  it("runs the methods of controllers, those of a base class by the name of the derived one, and one of two tokens once", async () => {
    class Base {
      @Cron("@daily")
      inherited(): void {}
    }
    @Injectable()
    class One extends Base {}
    @Injectable()
    class Two extends Base {}
    @Controller()
    class Pages {
      @Interval("refresh", 60_000)
      refresh(): void {}
    }
    const other = { provide: "alias", useExisting: One };
    const module = appModule({ providers: [One, Two, other], controllers: [Pages] });
    const app = await NestFactory.createApplicationContext(module as never, { logger: false, abortOnError: false });
    const names = (await collect(app.get(Ojm).scheduler.schedules())).map(({ name }) => name);
    expect(names).toEqual(["One.inherited", "Two.inherited", "refresh"]);
    await app.close();
  });

  it("does not start with two jobs of one name, and names both methods", async () => {
    @Injectable()
    class One {
      @Cron("@daily", { name: "report" })
      nightly(): void {}
    }
    @Injectable()
    class Two {
      @Interval("report", 60_000)
      often(): void {}
    }
    await expect(openApp([One, Two])).rejects.toThrow(
      '"report" is the name of two jobs, One.nightly of AppModule and Two.often of AppModule: give each a name of its own',
    );
  });

  it("does not start with a class that two modules provide, and says what to do", async () => {
    @Injectable()
    class Tasks {
      @Cron("@daily")
      nightly(): void {}
    }
    @Module({ providers: [Tasks] })
    class Other {}
    await expect(openApp([Tasks], undefined, [Other])).rejects.toThrow(
      "Tasks.nightly of AppModule and Tasks.nightly of Other: provide the class in one module",
    );
  });

  it("names the method of a wrong definition, even if the job has another name", async () => {
    class Tasks {
      @Cron("* * 9", { name: "report" })
      nightly(): void {}
    }
    await expect(openApp([Tasks])).rejects.toThrow(/^Tasks\.nightly: the schedule "report" is wrong/);
  });

  it("names every wrong option and every name of two methods in one error, without the stack of ojm and Nest", async () => {
    class Tasks {
      @Cron("61 * * * *", { name: "report" })
      nightly(): void {}
      @Interval("report", 10)
      often(): void {}
      @Cron("@daily", { nmae: "a", mised: "latest", timezone: "UTC", overlap: "both", jitter: -1 } as never)
      daily(): void {}
      @Timeout("warm-up", 10)
      one(): void {}
      @Timeout("warm-up", -1, { timeout: "soon", retry: { attempts: 0 } } as never)
      two(): void {}
    }
    const error: unknown = await openApp([Tasks]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "ScheduleError", code: "INVALID", setting: "cron" });
    const { message, stack } = error as Error;
    expect(message.split("\n")).toEqual([
      "12 options of jobs are wrong:",
      expect.stringMatching(/^Tasks\.nightly: the schedule "report" is wrong: .*61/),
      "Tasks.often: an interval takes at least 1000 ms: for less, use setInterval in each process",
      expect.stringMatching(/^"report" is the name of two jobs, Tasks\.nightly .* and Tasks\.often /),
      expect.stringContaining('Tasks.daily: @Cron has no option "nmae"'),
      expect.stringContaining('Tasks.daily: @Cron has no option "mised"'),
      expect.stringContaining('Tasks.daily: @Cron has no option "timezone"'),
      expect.stringContaining('the schedule "Tasks.daily" cannot use "overlap"'),
      expect.stringContaining('the schedule "Tasks.daily" cannot use "jitter"'),
      expect.stringContaining("Tasks.two: the delay is a whole number of ms"),
      expect.stringContaining('Tasks.two: timeout of "warm-up"'),
      expect.stringContaining('Tasks.two: attempts of "warm-up"'),
      expect.stringMatching(/^"warm-up" is the name of two jobs, Tasks\.one .* and Tasks\.two /),
    ]);
    expect(stack).toBe(`ScheduleError: ${message}`);
  });

  it("takes its options from a factory, and does not start without a store or with an unknown option", async () => {
    @Module({ imports: [OjmModule.forRootAsync({ useFactory: async () => ({ store: "memory:" }) })] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    expect(await app.get(Ojm).isReady()).toBe(true);
    await app.close();
    await expect(openApp([], { store: undefined as never })).rejects.toThrow("OjmModule needs a store");
    await expect(openApp([], { storr: "memory:" } as never)).rejects.toThrow(/storr.*Did you mean "store"/);
    await expect(openApp([], { store: "mysql://a" })).rejects.toThrow(/write sqlite:FILE|redis:\/\/HOST/);
  });

  it("leaves out the kinds that an option switches off, and warns about a method of a class for each request", async () => {
    const warn = vi.spyOn(Logger.prototype, "warn").mockImplementation(() => {});
    @Injectable()
    class Tasks {
      @Cron("@daily")
      daily(): void {}
      @Interval(60_000)
      often(): void {}
    }
    @Injectable({ scope: Scope.REQUEST })
    class Requested {
      @Cron("@daily")
      never(): void {}
    }
    const app = await openApp([Tasks, Requested], { cronJobs: false });
    expect((await collect(app.get(Ojm).scheduler.schedules())).map(({ name }) => name)).toEqual(["Tasks.often"]);
    expect(warn.mock.calls.flat()).toEqual([expect.stringMatching(/^Requested.never is not run/)]);
  });

  it("when it closes, signals the runs, waits for them before anything else is closed, and is not ready", async () => {
    const ended: string[] = [];
    let began = (): void => {};
    const running = new Promise<void>((resolve) => {
      began = resolve;
    });
    @Module({})
    class Database {
      onModuleDestroy(): void {
        ended.push("Database");
      }
    }
    @Injectable()
    class Tasks {
      @Timeout(0)
      async once(run: Run): Promise<void> {
        began();
        await new Promise((resolve) => run.signal.addEventListener("abort", resolve));
        await new Promise((resolve) => setImmediate(resolve));
        ended.push(isRunError(run.signal.reason) ? run.signal.reason.code : "?");
      }
      onModuleDestroy(): void {
        ended.push("Tasks");
      }
    }
    const app = await openApp([Tasks], { grace: "60s" }, [Database]);
    await running;
    expect(await app.get(OjmHealthIndicator).isHealthy("jobs")).toEqual({ jobs: { status: "up" } });
    await app.close();
    expect(ended).toEqual(["CLOSING", "Tasks", "Database"]);
    expect(await app.get(OjmHealthIndicator).isHealthy()).toEqual({
      ojm: { status: "down", message: "the application closes" },
    });
  });

  it("logs for which runs a close waits, and which it gives up after the grace", async () => {
    let end = (): void => {};
    @Injectable()
    class Tasks {
      @Timeout("short", 0)
      short(): void {}
      @Timeout("long", 0)
      async long(): Promise<void> {
        await new Promise<void>((resolve) => {
          end = resolve;
        });
      }
    }
    const app = await openApp([Tasks], { grace: "1s" });
    const { manager } = app.get(Ojm);
    const statuses = async () => (await collect(manager.history())).map(({ name, status }) => [name, status]).sort();
    const expected = [
      ["long", "running"],
      ["short", "completed"],
    ];
    await expect.poll(statuses).toEqual(expected);
    const lines: string[] = [];
    vi.spyOn(Logger.prototype, "log").mockImplementation((line: string) => void lines.push(line));
    vi.spyOn(Logger.prototype, "warn").mockImplementation((line: string) => void lines.push(line));
    await app.close();
    end();
    expect(lines).toEqual(["waits up to 1 s for the runs: long", "given up after 1 s: long"]);
  });

  it("logs the error of a method, and records it", async () => {
    const error = vi.spyOn(Logger.prototype, "error").mockImplementation(() => {});
    @Injectable()
    class Tasks {
      @Timeout("warm-up", 0)
      fail(): never {
        throw new Error("no route");
      }
    }
    const app = await openApp([Tasks]);
    const failed = async () => (await collect(app.get(Ojm).manager.history({ name: "warm-up" })))[0];
    await expect.poll(failed).toMatchObject({ status: "failed", error: "no route", trigger: "timeout" });
    expect(error.mock.calls.flat()[0]).toMatch(/^warm-up@.*no route/);
  });

  it("runs a timeout with `once` in one of all processes, and the others say nothing", async () => {
    const error = vi.spyOn(Logger.prototype, "error").mockImplementation(() => {});
    let runs = 0;
    @Injectable()
    class Tasks {
      @Timeout("migrate", 0, { once: { key: "2026-12", keep: "40d" } })
      migrate(): void {
        runs++;
      }
    }
    const app = await openApp([Tasks]);
    await expect.poll(() => runs).toBe(1);
    const { manager } = app.get(Ojm);
    await expect(
      manager.run("migrate", () => {}, { once: { key: "2026-12", keep: "40d" }, wait: "1m" }),
    ).rejects.toMatchObject({
      code: "STARTED",
    });
    expect(error).not.toHaveBeenCalled();
  });
});

describe("options of decorators", () => {
  const definitionOf = async (decorator: MethodDecorator): Promise<unknown> => {
    @Injectable()
    class Tasks {
      @decorator
      a(): void {}
    }
    const app = await openApp([Tasks], { timeZone: "Asia/Tokyo" });
    return app.get(Ojm).jobs.get("Tasks.a")?.definition;
  };

  it.for<[decorator: MethodDecorator, definition: object]>([
    [Cron("0 2 * * *"), { cron: "0 2 * * *", timeZone: "Asia/Tokyo" }],
    [Cron("0 2 * * *", { timeZone: "Europe/Lisbon" }), { timeZone: "Europe/Lisbon" }],
    [Cron("0 2 * * *", { utcOffset: 0 }), { timeZone: "UTC" }],
    [Cron("0 2 * * *", { utcOffset: 120 }), { timeZone: "Etc/GMT-2" }],
    [Cron("0 2 * * *", { utcOffset: -300 }), { timeZone: "Etc/GMT+5" }],
    [Cron("@weekdays"), { cron: "0 0 * * 1-5" }],
    [Cron("@daily", { waitForCompletion: true, unrefTimeout: false }), { cron: "@daily" }],
    [Cron("@daily", { missed: "latest", overlap: "queue", retry: { attempts: 2 } }), { missed: "latest" }],
    [Interval(1_000, { timeout: "5m" }), { every: 1_000, timeout: "5m" }],
  ])("%# become a definition", async ([decorator, definition]) => {
    expect(await definitionOf(decorator)).toMatchObject(definition);
  });

  it.for<[decorator: MethodDecorator, message: RegExp, setting: string | undefined]>([
    [Cron("0 25 * * *"), /Tasks\.a.*hour/, "cron"],
    [Cron("@daily", { timeZone: "Lisbon" }), /Lisbon/, "timeZone"],
    [Cron(new Date() as never), /Tasks\.a: cronTime must be a text/, "cron"],
    [Cron("@daily", { waitForCompletion: false }), /write overlap: "queue"/, "waitForCompletion"],
    [Cron("@daily", { unrefTimeout: true }), /app\.close\(\)/, "unrefTimeout"],
    [Cron("@daily", { threshold: 250 }), /write missed: \{ run: "latest", within: ms \}/, "threshold"],
    [Cron("@daily", { utcOffset: 330 }), /write a timeZone such as "Asia\/Kolkata"/, "utcOffset"],
    [Cron("@daily", { utcOffset: 60, timeZone: "UTC" }), /not possible with a timeZone/, "utcOffset"],
    [Cron("@daily", { initialDelay: 3e9 }), /initialDelay is a whole number of ms, at most 2147483647/, "initialDelay"],
    [
      Cron("@daily", { mised: "latest" } as never),
      /^Tasks\.a: @Cron has no option "mised"\. Did you mean "missed"\? It has: name, timeZone, utcOffset, disabled, initialDelay, overlap, missed, jitter, timeout, lock, permits, rate, blackout, pauseAfter, retry, meta\.$/,
      "mised",
    ],
    [Cron("@daily", { every: 5_000 } as never), /^Tasks\.a: @Cron has no option "every"/, "every"],
    [Cron("@daily", { catchUp: true } as never), /@Cron has no option "catchUp"\. Did you mean "missed"/, "catchUp"],
    [Cron("@daily", null as never), /^Tasks\.a: the options of @Cron are a map, not null/, undefined],
    [Interval(1_000, { timeZone: "UTC" } as never), /^Tasks\.a: @Interval has no option "timeZone"/, "timeZone"],
    [
      Timeout(0, { tmeout: "5m" } as never),
      /^Tasks\.a: @Timeout has no option "tmeout"\. Did you mean "timeout"\? It has: wait, timeout, retry, meta, once\.$/,
      "tmeout",
    ],
    [Timeout(0, { timeout: "soon" as never }), /^timeout of "Tasks\.a" .*soon/, "timeout"],
    [Timeout("b", 0, { retry: { attempts: 0 } }), /^Tasks\.a: attempts of "b" must be a whole number/, "retry"],
    [Interval(100), /use setInterval in each process/, "every"],
    [Interval("a", undefined as never), /^Tasks\.a: an interval takes at least 1000 ms/, "every"],
    [Timeout(-1), /the delay is a whole number of ms/, "delay"],
  ])("%# are rejected at the start, with what to write", async ([decorator, message, setting]) => {
    const error: unknown = await definitionOf(decorator).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "INVALID", message: expect.stringMatching(message), setting });
  });

  it("every CronExpression is one that ojm reads", () => {
    for (const expression of Object.values(CronExpression)) {
      expect(cronSchedule(expression).next(0), expression).toBeGreaterThan(0);
    }
  });

  it("the time zone of the process is UTC under each of its names", () => {
    const zone = (timeZone: string): string => {
      vi.spyOn(Intl.DateTimeFormat.prototype, "resolvedOptions").mockReturnValue({ timeZone } as never);
      return ownZone();
    };
    expect(["UTC", "Etc/UTC", "GMT", "Europe/Lisbon"].map(zone)).toEqual(["UTC", "UTC", "UTC", "Europe/Lisbon"]);
  });
});
