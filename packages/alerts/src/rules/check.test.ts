import { describe, expect, test } from "vitest";
import { AlertsError } from "../errors.js";
import type { AlertsOptions, Rule } from "../types.js";
import { checkOptions } from "./check.js";
import { checkedRule } from "./checked-rule.js";

const to = { webhook: "https://example.com/hook" };

const messageOf = (options: unknown): string => {
  try {
    checkOptions(options as AlertsOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(AlertsError);
    return (error as AlertsError).message;
  }
  return "";
};

const ofRule = (rule: object): string => messageOf({ rules: [{ on: ["failed"], to, ...rule }] });

test.each([
  [
    {
      on: ["failed", "lost", "timeout", "recovered"],
      jobs: ["nightly-*"],
      after: 2,
      to: { ...to, secret: "whsec_MfKQ9r8GKYqr" },
    },
  ],
  [{ on: ["long"], longer: 3_600_000, to: { command: ["notify.sh"] } }],
  [{ on: ["missed", "late"], later: 60_000, grace: 120_000 }],
  [{ on: ["started", "completed", "failed"], to: { healthchecks: "https://hc-ping.com/uuid" } }],
  [{ to: { email: { to: "a@example.com", from: "b@example.com", smtp: "smtp://u:p@mail:587" } } }],
  [{ to: { slack: "https://hooks.slack.com/services/a" } }],
])("a rule that makes sense: %j", (rule) => {
  expect(ofRule(rule)).toBe("");
});

test("a rule with durations as texts is the same as one in ms", () => {
  const [texts, ms] = [
    ["1h", "1m", "2m", "5s"],
    [3_600_000, 60_000, 120_000, 5_000],
  ].map(([longer, later, grace, deadline]) => {
    const rule = { on: ["long", "missed", "late"], longer, later, grace, to: { ...to, deadline } } as Rule;
    expect(ofRule(rule)).toBe("");
    const { matches: _, ...checked } = checkedRule(rule);
    return checked;
  });
  expect(texts).toEqual(ms);
  expect(texts?.to).toEqual({ ...to, deadline: 5_000 });
  expect(messageOf({ rules: [{ on: ["failed"], to }], every: "1m" })).toBe("");
});

test.each([
  [{}, "rules must be a list of at least one rule"],
  [{ rules: [] }, "rules must be a list of at least one rule"],
  [{ rule: [] }, 'openAlerts has no "rule". Did you mean "rules"? It has: rules, every, url, clock'],
  [
    { rules: [{ on: ["failed"], to }], url: "ops.example.com" },
    "url must be an address that begins with http:// or https://",
  ],
  [
    { rules: [{ on: ["failed"], to }], every: 0 },
    'every must be a duration from 10 ms up to 1 h, in ms or as a text with its unit such as "90s" or "10m", not 0',
  ],
  [{ rules: [1] }, "rules[0] must be a map of: id, on, jobs, after, longer, later, grace, to"],
  [
    {
      rules: [
        { on: ["failed"], to },
        { on: ["failed"], to },
      ],
    },
    "rules[1] is the same as rules[0], or has its id: each alert is sent once for each id",
  ],
])("%j is refused", (options, message) => {
  expect(messageOf(options)).toBe(message);
});

describe("a rule that makes no sense", () => {
  test.each([
    [{ job: ["a"] }, 'rules[0] has no "job". Did you mean "jobs"?'],
    [{ on: ["fail"] }, 'rules[0]: on has no "fail". Did you mean "failed"?'],
    [{ on: ["misd"] }, 'rules[0]: on has no "misd". Did you mean "missed"?'],
    [{ on: ["late"] }, 'rules[0]: "late" needs later, which must be a duration from 1 ms, in ms or'],
    [{ later: 5 }, 'rules[0]: later is for "late", which is not in on: [failed]'],
    [{ grace: 5_000 }, 'rules[0]: grace is for "missed", which is not in on: [failed]'],
    [{ on: ["missed"], grace: 5 }, "rules[0]: grace must be a duration from 1 s, in ms or"],
    [{ on: ["missed"], to: { healthchecks: "https://hc-ping.com/a" } }, 'healthchecks cannot report "missed"'],
    [{ on: [] }, "rules[0]: on must be a list of at least one of"],
    [{ jobs: [] }, "rules[0]: jobs must be a list of names"],
    [{ jobs: "a" }, "rules[0]: jobs must be a list of names"],
    [{ jobs: ["ojm alerts"] }, "rules[0]: the rule can never report anything"],
    [{ on: ["long"] }, 'rules[0]: "long" needs longer'],
    [{ longer: 5 }, 'rules[0]: longer is for "long", which is not in on: [failed]'],
    [{ on: ["completed"], after: 2 }, "rules[0]: after counts runs that ended in error"],
    [{ after: 0 }, "rules[0]: after must be a whole number from 1 to 50, not 0"],
    [{ id: "a b" }, "rules[0]: id must be 1 to 100 letters"],
    [
      { on: ["long"], longer: 5, to: { healthchecks: "https://hc-ping.com/a" } },
      'rules[0]: healthchecks cannot report "long"',
    ],
    [{ to: { webhok: "https://a" } }, 'rules[0].to has no "webhok". Did you mean "webhook"?'],
    [{ to: {} }, "rules[0].to must have exactly one of: webhook, command, email, slack, healthchecks"],
    [{ to: { ...to, slack: "https://a" } }, "rules[0].to must have exactly one of"],
    [{ to: { slack: "https://a", secret: "whsec_a" } }, 'rules[0].to has no "secret"'],
    [{ to: { ...to, deadline: 70_000 } }, "rules[0].to: deadline must be a duration from 1 ms up to 1 min"],
    [{ to: { command: "notify.sh" } }, "rules[0].to.command must be a list"],
    [{ to: { email: { to: "a", from: "b@c", smtp: "smtp://d" } } }, "rules[0].to.email.to must be a mail address"],
    [{ to: { email: { to: "a@b", from: "b@c\nBcc: x@y", smtp: "smtp://d" } } }, "rules[0].to.email.from must be"],
    [
      { to: { email: { to: "a@b", from: "b@c", smtp: "http://d" } } },
      "rules[0].to.email.smtp must be an address that begins with smtp:// or smtps://",
    ],
    [
      { to: { email: { to: "a@b", from: "b@c", smtp: { hots: "d" } } } },
      'rules[0].to.email.smtp has no "hots". Did you mean "host"?',
    ],
  ])("%j is refused", (rule, message) => {
    expect(ofRule(rule)).toContain(message);
  });

  test("no message has an address or a secret", () => {
    for (const receiver of [
      { webhook: "ftp://s3cret" },
      { webhook: "https://u:s3cret@example.com" },
      { webhook: "https://example.com", secret: "s3cret" },
      { slack: "s3cret" },
      { email: { to: "a@b", from: "c@d", smtp: "s3cret://s3cret" } },
    ]) {
      expect(ofRule({ to: receiver })).toMatch(/^rules\[0\]/);
      expect(ofRule({ to: receiver })).not.toContain("s3cret");
    }
  });
});

describe("the id of a rule", () => {
  test("does not depend on its secrets, nor on the order of its words", () => {
    const email = (pass: string): string =>
      checkedRule({
        on: ["failed"],
        to: { email: { to: "a@b", from: "c@d", smtp: `smtp://u:${pass}@mail` } },
      }).id;
    expect(email("one")).toBe(email("two"));
    const a = checkedRule({ on: ["failed", "lost"], jobs: ["a", "b"], to: { ...to, secret: "whsec_MfKQ9r8GKYqr" } });
    const b = checkedRule({ on: ["lost", "failed"], jobs: ["b", "a"], to });
    expect(a.id).toBe(b.id);
    expect(a.id).not.toBe(checkedRule({ on: ["failed"], to }).id);
  });

  test("a pattern takes nothing but the star as special", () => {
    const { matches } = checkedRule({ on: ["failed"], jobs: ["a.b*(c)", "-[x]"], to });
    expect(["a.b(c)", "a.b any\nthing (c)", "-[x]"].every(matches)).toBe(true);
    expect(["axb(c)", "a.b(c) ", "x"].some(matches)).toBe(false);
  });
});
