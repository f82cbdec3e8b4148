// A Nest application as TypeScript compiles it to CommonJS. Runs its job once.
const { NestFactory } = require("@nestjs/core");
const { Cron, Ojm, OjmModule } = require("@ojm/nestjs");

class Tasks {
  report(run) {
    console.log("the report, attempt", run.attempt);
  }
}
const report = Object.getOwnPropertyDescriptor(Tasks.prototype, "report");
Cron("0 2 * * *", { name: "report" })(Tasks.prototype, "report", report);

class AppModule {}
const store = process.argv[2] ?? "sqlite:./nest.db";
const dynamic = { module: AppModule, imports: [OjmModule.forRoot({ store })], providers: [Tasks] };

NestFactory.createApplicationContext(dynamic, { logger: ["error", "warn"] }).then(async (app) => {
  await app.get(Ojm).scheduler.runNow("report", { reason: "to try it" });
  await app.close();
});
