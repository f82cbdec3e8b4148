import { type CanActivate, type ExecutionContext, Injectable } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { HealthCheckService, TerminusModule } from "@nestjs/terminus";
import { describe, expect, it, onTestFinished } from "vitest";
import { Cron, OjmHealthIndicator } from "./index.js";
import { appModule } from "./testing/app.js";
import { OjmUiModule } from "./ui.js";

interface Known {
  readonly headers: Readonly<Record<string, unknown>>;
  user?: string;
}

/** Admits requests with a user, as a guard of a session does. */
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Known>();
    request.user = String(request.headers["x-user"] ?? "");
    return request.user !== "";
  }
}

@Injectable()
class Tasks {
  @Cron("@yearly")
  yearly(): void {}
}

const ui = (): ReturnType<typeof OjmUiModule.forRoot> =>
  OjmUiModule.forRoot<Known>({
    guards: [UserGuard],
    viewer: ({ user = "" }) => (user === "stranger" ? undefined : { user, role: user === "ana" ? "operate" : "read" }),
  });

describe.each(["Express", "Fastify"])("OjmUiModule on %s", (name) => {
  it("serves the UI below the global prefix, to those whom the guards and the viewer admit", async () => {
    const module = appModule({ imports: [ui(), TerminusModule.forRoot({ logger: false })], providers: [Tasks] });
    const options = { logger: false, abortOnError: false, forceCloseConnections: true } as const;
    const app =
      name === "Express"
        ? await NestFactory.create(module as never, options)
        : await NestFactory.create(module as never, new FastifyAdapter(), options);
    app.setGlobalPrefix("admin");
    await app.listen(0, "127.0.0.1");
    onTestFinished(() => app.close());
    const origin = (await app.getUrl()).replace("[::1]", "127.0.0.1");
    const call = (path: string, user?: string, more: RequestInit = {}): Promise<Response> => {
      const headers = { ...(user && { "x-user": user }), ...(more.headers as Record<string, string>) };
      return fetch(`${origin}/admin/ojm${path}`, { ...more, headers });
    };
    expect((await call("/api/v1/me")).status).toBe(403);
    expect((await call("/api/v1/me", "stranger")).status).toBe(401);
    expect(await (await call("/api/v1/me", "ana")).json()).toMatchObject({ user: "ana", role: "operate" });
    const page = await call("", "ana");
    expect(page.headers.get("Content-Security-Policy")).toContain("default-src 'self'");
    const hold = {
      method: "POST",
      headers: { "Content-Type": "application/json", Origin: origin },
      body: JSON.stringify({ reason: "a test" }),
    };
    expect((await call("/api/v1/jobs/Tasks.yearly/hold", "bob", hold)).status).toBe(403);
    const held = await call("/api/v1/jobs/Tasks.yearly/hold", "ana", hold);
    expect([held.status, await held.text()]).toEqual([200, expect.stringContaining("is held")]);
    const stream = await call("/api/v1/events", "ana");
    const reader = stream.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("event");
    await reader?.cancel();

    const health = app.get(HealthCheckService);
    const indicator = app.get(OjmHealthIndicator);
    expect(await health.check([() => indicator.isHealthy()])).toMatchObject({
      status: "ok",
      details: { ojm: { status: "up" } },
    });
    await app.close();
    await expect(health.check([() => indicator.isHealthy("jobs")])).rejects.toMatchObject({
      response: { error: { jobs: { status: "down" } } },
    });
  });
});

it("the UI needs guards and a viewer", () => {
  const viewer = (): undefined => undefined;
  expect(() => OjmUiModule.forRoot({ guards: [], viewer })).toThrow(/needs guards/);
  expect(() => OjmUiModule.forRoot({ guards: [UserGuard] } as never)).toThrow(/viewer\(request\)/);
});
