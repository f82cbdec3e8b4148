import { readdirSync, readFileSync } from "node:fs";

/**
 * Tests may import anything. Child programs of tests, the torture harness and the benchmark count as tests.
 */
const TESTS = "(\\.test(-d)?\\.tsx?|\\.child\\.ts)$|/testing/|^(test|packages/(bench|ui/test))/";

/** The parts of the channel that locks may use: the public channel, its calls, and keys and values. */
const CHANNEL_FOR_LOCKS =
  "^packages/core/src/channel/((index|channel|types|errors|open|calls|corrupt)\\.ts$|encoding/)";

const PACKAGES = new URL("packages/", import.meta.url);

/** The backends: the packages that have the keyword "channel". */
const BACKENDS = readdirSync(PACKAGES)
  .filter((name) =>
    JSON.parse(readFileSync(new URL(`${name}/package.json`, PACKAGES), "utf8")).keywords?.includes("channel"),
  )
  .join("|");

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Nobody can understand one file of a cycle without all of them.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "util-is-the-ground",
      severity: "error",
      from: { path: "^packages/core/src/util/" },
      to: { path: "^packages/", pathNot: "^packages/core/src/util/" },
    },
    {
      name: "channel-knows-no-locks-or-jobs",
      severity: "error",
      from: { path: "^packages/core/src/channel/", pathNot: TESTS },
      to: { path: "^packages/core/src/(locks|jobs)/" },
    },
    {
      name: "locks-know-no-jobs",
      severity: "error",
      from: { path: "^packages/core/src/locks/", pathNot: TESTS },
      to: { path: "^packages/core/src/jobs/" },
    },
    {
      name: "locks-use-the-public-channel",
      severity: "error",
      from: { path: "^packages/core/src/locks/", pathNot: TESTS },
      to: { path: "^packages/core/src/channel/", pathNot: CHANNEL_FOR_LOCKS },
    },
    {
      name: "operator-part-loads-when-used",
      comment: "A program that only runs jobs does not load what people ask of them: see jobs/operator-part.ts.",
      severity: "error",
      from: {
        path: "^packages/core/src/(util|channel|locks|jobs)/",
        pathNot: `${TESTS}|/jobs/operator-part\\.ts$`,
      },
      to: {
        path: "^packages/core/src/operator/",
        dependencyTypesNot: ["dynamic-import", "type-only"],
      },
    },
    {
      name: "core-imports-no-package-of-ours",
      severity: "error",
      from: { path: "^packages/core/src/", pathNot: TESTS },
      to: { path: "^packages/(?!core/)" },
    },
    {
      name: "backends-import-only-core",
      severity: "error",
      from: { path: `^packages/(${BACKENDS})/src/`, pathNot: TESTS },
      to: { path: "^packages/", pathNot: "^packages/($1|core)/" },
    },
    {
      name: "schedule-imports-only-core",
      severity: "error",
      from: { path: "^packages/schedule/src/", pathNot: TESTS },
      to: { path: "^packages/", pathNot: "^packages/(schedule|core)/" },
    },
    {
      name: "alerts-import-only-core-and-schedule",
      comment: "The alerts use the entries of core and of the schedules, and no file behind them.",
      severity: "error",
      from: { path: "^packages/alerts/src/", pathNot: TESTS },
      to: {
        path: "^packages/",
        pathNot:
          "^packages/(alerts/|core/src/(index|backend|internal|internal-operator)\\.ts$|schedule/src/(index|internal|operator/index)\\.ts$)",
      },
    },
    {
      name: "ui-imports-only-core-schedule-and-queue",
      comment: "The UI uses the entries of core, of the schedules and of the queues, and no file behind them.",
      severity: "error",
      from: { path: "^packages/ui/", pathNot: TESTS },
      to: {
        path: "^packages/",
        pathNot:
          "^packages/(ui/|core/src/(index|backend|internal|internal-operator|util/(duration|compare-logs|start-time))\\.ts$|schedule/src/(index|internal|operator/index)\\.ts$|queue/src/index\\.ts$)",
      },
    },
    {
      name: "pages-know-only-the-contract",
      comment: "And how durations and start times are shown, and logs compared: three files of core without imports.",
      severity: "error",
      from: { path: "^packages/ui/web/", pathNot: TESTS },
      to: {
        path: "^packages/",
        pathNot: "^packages/(ui/(web|src/contract)/|core/src/util/(duration|compare-logs|start-time)\\.ts$)",
      },
    },
    {
      name: "pages-import-types-of-the-contract",
      comment: "A value would bring the schemas and valibot into the bundle.",
      severity: "error",
      from: { path: "^packages/ui/web/", pathNot: TESTS },
      to: { path: "^packages/ui/src/contract/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "server-knows-no-pages",
      severity: "error",
      from: { path: "^packages/ui/src/", pathNot: TESTS },
      to: { path: "^packages/ui/web/" },
    },
    {
      name: "contract-is-the-ground",
      comment: "What is a value of the store has the type that core, the schedules and the queues give it.",
      severity: "error",
      from: { path: "^packages/ui/src/contract/", pathNot: TESTS },
      to: {
        path: "^packages/",
        pathNot: "^packages/(ui/src/contract/|(core|schedule|queue)/src/(index|internal)\\.ts$)",
      },
    },
    {
      name: "contract-imports-types",
      comment: "The pages are compiled against it: they must not get the code of the server.",
      severity: "error",
      from: { path: "^packages/ui/src/contract/", pathNot: TESTS },
      to: { path: "^packages/(core|schedule|queue)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "otel-imports-only-core-and-schedule",
      comment: "Telemetry is made of the events that any program can listen to.",
      severity: "error",
      from: { path: "^packages/otel/src/", pathNot: TESTS },
      to: {
        path: "^packages/",
        pathNot:
          "^packages/(otel/|core/src/(index|backend|internal|internal-operator)\\.ts$|schedule/src/(index|internal)\\.ts$)",
      },
    },
    {
      name: "nestjs-imports-only-core-schedule-and-ui",
      comment: "The UI is optional: only its own entry imports it.",
      severity: "error",
      from: { path: "^packages/nestjs/src/", pathNot: TESTS },
      to: {
        path: "^packages/",
        pathNot:
          "^packages/(nestjs/|core/src/(index|internal)\\.ts$|schedule/src/(index|internal)\\.ts$|ui/src/index\\.ts$)",
      },
    },
    {
      name: "nestjs-loads-the-ui-only-by-its-entry",
      severity: "error",
      from: { path: "^packages/nestjs/src/", pathNot: `${TESTS}|^packages/nestjs/src/ui\\.ts$` },
      to: { path: "^packages/(ui|nestjs/src/ui\\.ts$)" },
    },
    {
      name: "prometheus-needs-no-opentelemetry",
      severity: "error",
      from: { path: "^packages/otel/src/(prometheus|measure)", pathNot: TESTS },
      to: { path: "^packages/otel/src/otel/|@opentelemetry/" },
    },
    {
      name: "node-cron-imports-only-core-and-schedule",
      severity: "error",
      from: { path: "^packages/node-cron/src/", pathNot: TESTS },
      to: { path: "^packages/", pathNot: "^packages/(node-cron/|(core|schedule)/src/(index|internal)\\.ts$)" },
    },
    {
      name: "queue-imports-only-core",
      severity: "error",
      from: { path: "^packages/queue/src/", pathNot: TESTS },
      to: { path: "^packages/", pathNot: "^packages/(queue/|core/src/(index|backend|internal)\\.ts$)" },
    },
    {
      name: "openaf-imports-no-package-of-ours",
      comment: "It is loaded into a script thread, and uses what is global there.",
      severity: "error",
      from: { path: "^packages/openaf/src/", pathNot: TESTS },
      to: { path: "^packages/(?!openaf/)" },
    },
    {
      name: "ojob-knows-no-command-line",
      severity: "error",
      from: { path: "^packages/ojob/src/", pathNot: TESTS },
      to: { path: "^packages/(cli|openaf|ui)/" },
    },
    {
      name: "only-tests-import-testing",
      severity: "error",
      from: { pathNot: TESTS },
      to: { path: "/testing/" },
    },
  ],
  options: {
    // Imports of types count: a cycle of types ties files together as well.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "(^|/)(node_modules|dist)/" },
    exclude: { path: "\\.test(-d)?\\.tsx?$|(^|/)(node_modules|dist)/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["@ojm/source", "import", "node"] },
  },
};
