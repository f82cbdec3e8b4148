import type { Kept } from "../types.js";
import { of } from "./rows.js";

const alertsTests = ["packages/alerts/src/alerts.test.ts"];
const chaosTests = ["packages/alerts/src/chaos-ticks.test.ts"];
const ticksTests = ["packages/alerts/src/ticks.test.ts"];
const httpTests = ["packages/alerts/src/receivers/http.test.ts"];

/** What is kept of the alerts. */
export const alerts: Kept = {
  named: [
    ...of(
      "packages/alerts/src/deliver/deliver.ts",
      ["packages/alerts/src/deliver/deliver.test.ts"],
      [
        "AL27 one delivery without an end",
        "at - begun > BUDGET",
        "at - begun > 1_000 * BUDGET",
        "a slow receiver holds up all other rules",
      ],
    ),
    ...of(
      "packages/alerts/src/look/put.ts",
      alertsTests,
      ["AL01 the cursor without the outbox", "    ...puts.flat(),\n  ]);", "  ]);", "no alert is ever sent"],
      [
        "AL02 the cursor before the outbox",
        "  while (puts.length > AT_ONCE)",
        "  await fenced([{ put: ruleKey(rule.id), value: state }]);\n  while (puts.length > AT_ONCE)",
        "a process that dies in between loses the alerts",
      ],
      ["AL03 an outbox without a bound", "if (surplus <= 0)", "if (surplus <= 1e9)", "an outbox grows without end"],
      [
        "AL04 drops that nobody is told of",
        "i === 0 && dropped > 0 ?",
        "i === 0 && dropped > 1e9 ?",
        "lost alerts are silent",
      ],
    ),
    ...of(
      "packages/alerts/src/deliver/deliver.ts",
      alertsTests,
      [
        "AL05 deleted before the delivery",
        "    const outcome = await delivery.send(",
        "    await fenced([{ delete: key }]);\n    const outcome = await delivery.send(",
        "an alert is lost with its process",
      ],
      [
        "AL06 never deleted",
        "return { ops: [{ delete: key }, ...(gate",
        "return { ops: [...(gate",
        "an alert is sent for ever",
      ],
      ["AL07 the next one past a closed gate", "      shut = true;\n", "", "alerts come out of order"],
      [
        "AL08 no pause",
        "const until = at + Math.max(pauseAfter(gate.tries), Math.min(outcome.after ?? 0, GIVE_UP));",
        "const until = at;",
        "a receiver that is down is asked without an end",
      ],
      [
        "AL09 refused for all",
        'if (outcome.type === "later") {',
        'if (outcome.type !== "taken") {',
        "one bad alert holds up the others",
      ],
    ),
    ...of(
      "packages/alerts/src/look/window.ts",
      alertsTests,
      [
        "AL10 no margin",
        "export const MARGIN = 600_000;",
        "export const MARGIN = 0;",
        "a clock that is behind loses alerts",
      ],
      [
        "AL11 a clock that is ahead moves it",
        "Math.min(time, now)",
        "time",
        "a run that ended in the future hides the next ones",
      ],
      ["AL12 nothing is remembered", "!hashes.has(hashOf(id))", "true", "each look tells the same again"],
    ),
    ...of(
      "packages/alerts/src/look/look.ts",
      alertsTests,
      [
        "AL13 a look without the run",
        "const { result } = await manager.run(OWN_NAME, (run) => tellAndDeliver(context, run), options);",
        "const run = { id: options.trigger, signal: new AbortController().signal, fenced: (c: AlertsChannel, ops: never[]) => c.commit(ops) };\n    const result = await tellAndDeliver(context, run as unknown as Run);",
        "two processes send the same alert",
      ],
      [
        "AL14 a new rule begins now",
        "freshState(await lastLook(channel, now))",
        "freshState(now)",
        "what failed during a deploy is not told",
      ],
      [
        "AL15 a turn for everybody",
        "&& now - at < rest) return false;",
        "&& now - at < 0) return false;",
        "fifty processes look fifty times",
      ],
    ),
    ...of(
      "packages/alerts/src/look/fate.ts",
      alertsTests,
      [
        "AL18 each attempt is the last",
        'if (next !== undefined) return now - next.due > OVERDUE ? "last" : "waits";',
        "",
        "a retry that helps wakes somebody",
      ],
      [
        "AL19 a chain that nobody goes on with",
        'now - next.due > OVERDUE ? "last" : "waits"',
        '"waits"',
        "a failure is never told",
      ],
    ),
    ...of(
      "packages/alerts/src/look/ticks.ts",
      chaosTests,
      ["AL21 no memory of ticks", "return known === undefined;", "return true;", "each look tells the same tick again"],
      [
        "AL22 schedules that are behind are forgotten",
        "behind: Object.fromEntries(left.slice(0, MOST_BEHIND)),",
        "behind: {},",
        "what a scheduler misses after a long outage is not told, or told twice",
      ],
      [
        "AL23 no grace",
        "view.overdue(this.#look.now - grace, after)",
        "view.overdue(this.#look.now, after)",
        "a tick that is being decided wakes somebody",
      ],
    ),
    ...of("packages/alerts/src/look/ticks.ts", ticksTests, [
      "AL24 an alert for each entry",
      "gap !== undefined && at <= gap.decided",
      "gap !== undefined && at < 0",
      "one outage wakes somebody twice",
    ]),
    ...of("packages/alerts/src/look/look.ts", chaosTests, [
      "AL25 judged before it is put",
      "if (!findings.changed) await noteTicks(context, findings);",
      "await noteTicks(context, findings);",
      "a missed tick is lost if the outbox cannot be written",
    ]),
    ...of("packages/schedule/src/control/overview.ts", chaosTests, [
      "AL26 ticks that wait count as decided",
      "Math.min(cursor.at, ...(cursor.waiting ?? []).map((at) => at - 1))",
      "cursor.at",
      "a run that waited for hours is not told as late",
    ]),
    ...of("packages/alerts/src/receivers/webhook.ts", httpTests, [
      "AL20 a signature without its time",
      "update(`$" + "{id}.",
      "update(`$" + "{seconds}.",
      "no receiver takes it",
    ]),
    ...of(
      "packages/alerts/src/receivers/http.ts",
      httpTests,
      ["AL16 redirects are followed", 'redirect: "manual"', 'redirect: "follow"', "an alert goes to another host"],
      [
        "AL17 the message of the error",
        `the request failed\${codeOf(error)}`,
        `the request failed \${error}: \${address}`,
        "a token is in a log",
      ],
    ),
  ],
  equivalent: [],
  slow: [],
  last: [],
};
