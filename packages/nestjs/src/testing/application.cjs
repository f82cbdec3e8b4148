// A Nest application as TypeScript compiles it to CommonJS. Runs its job, and requests its UI and its health.
// Then it prints `done`. Arguments: the platform, `express` or `fastify`, and the store.
require("reflect-metadata");
const assert = require("node:assert/strict");
const { Controller, Get, Inject } = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { HealthCheckService, TerminusModule } = require("@nestjs/terminus");
const { Cron, Ojm, OjmHealthIndicator, OjmModule, Timeout } = require("@ojm/nestjs");
const { OjmUiModule } = require("@ojm/nestjs/ui");

const decorate = (prototype, key, decorator) =>
  decorator(prototype, key, Object.getOwnPropertyDescriptor(prototype, key));

const events = [];
let listens;
const listening = new Promise((resolve) => {
  listens = resolve;
});
class Tasks {
  report(run) {
    events.push(`attempt ${run.attempt}`);
  }

  async listen(run) {
    listens();
    await new Promise((resolve) => run.signal.addEventListener("abort", resolve));
    events.push("the run ended");
  }

  onModuleDestroy() {
    events.push("the provider ended");
  }
}
decorate(Tasks.prototype, "report", Cron("0 2 * * *", { name: "report" }));
decorate(Tasks.prototype, "listen", Timeout("listen", 0));

class Health {
  constructor(health, ojm) {
    this.health = health;
    this.ojm = ojm;
  }

  check() {
    return this.health.check([() => this.ojm.isHealthy()]);
  }
}
Controller("health")(Health);
decorate(Health.prototype, "check", Get());
Inject(HealthCheckService)(Health, undefined, 0);
Inject(OjmHealthIndicator)(Health, undefined, 1);

class UserGuard {
  canActivate(context) {
    const request = context.switchToHttp().getRequest();
    request.user = request.headers["x-user"];
    return request.user !== undefined;
  }
}

class AppModule {}
const [platform = "express", store = "sqlite:./nest.db"] = process.argv.slice(2);
const ui = OjmUiModule.forRoot({
  guards: [UserGuard],
  viewer: ({ user }) => ({ user, role: "read" }),
});
const imports = [OjmModule.forRoot({ store }), ui, TerminusModule.forRoot({ logger: false })];
const dynamic = { module: AppModule, imports, providers: [Tasks], controllers: [Health] };

async function main() {
  const adapter = platform === "fastify" ? [new (require("@nestjs/platform-fastify").FastifyAdapter)()] : [];
  const app = await NestFactory.create(dynamic, ...adapter, { logger: ["error", "warn"], forceCloseConnections: true });
  await app.listen(0, "127.0.0.1");
  await app.get(Ojm).scheduler.runNow("report", { reason: "to try it" });
  const get = async (path, headers) => fetch(`${await app.getUrl()}/${path}`, { headers });
  assert.equal((await get("ojm/api/v1/me")).status, 403);
  const { user, role } = await (await get("ojm/api/v1/me", { "x-user": "ana" })).json();
  assert.deepEqual([user, role], ["ana", "read"]);
  assert.match(await (await get("ojm", { "x-user": "ana" })).text(), /^<!doctype html>/i);
  const health = await get("health");
  assert.deepEqual([health.status, (await health.json()).details], [200, { ojm: { status: "up" } }]);
  await listening;
  await app.close();
  assert.deepEqual(events, ["attempt 1", "the run ended", "the provider ended"]);
  console.log("done");
}
void main();
