import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { workflowFaults } from "../scripts/lib/check/workflows.mjs";

/* The check of the workflows of CI finds what would let code from a fork change a release. */

const FOLDER = fileURLToPath(new URL("../.github/workflows/", import.meta.url));

const CHECKOUT = "actions/checkout@11d5960a326750d5838078e36cf38b85af677262 # v4.4.0";

const GOOD = `on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    permissions: { contents: read, id-token: write }
    steps:
      - uses: ${CHECKOUT}
        with:
          persist-credentials: false
      - run: npm run check
`;

test("a workflow with pinned actions and no rights of its own has no fault", async () => {
  expect(await workflowFaults("good.yml", GOOD)).toEqual([]);
});

test.each([
  ["an action by its tag", CHECKOUT, "actions/checkout@v4", "is not pinned"],
  ["an action by its commit without its version", " # v4.4.0", "", "is not pinned"],
  ["rights for all jobs", "permissions: {}", "permissions: { contents: write }", "lacks `permissions: {}`"],
  ["a trigger that runs code from a fork with rights", "on: push", "on: pull_request_target", "with rights"],
  ["a secret", "npm run check", `\${{ secrets.NPM_TOKEN }}`, "uses a secret"],
  ["a checkout that leaves its token", "persist-credentials: false", "fetch-depth: 0", "persist-credentials"],
  [
    "a cache in a workflow that publishes",
    "persist-credentials: false",
    "persist-credentials: false\n          cache: npm",
    "has a cache",
  ],
  [
    "a Node that is not exact in a workflow that publishes",
    "persist-credentials: false",
    "persist-credentials: false\n          node-version: 24",
    "its Node exactly",
  ],
  [
    "a token for a step that runs npm",
    "run: npm run check",
    `run: npm run check\n        env: { GITHUB_TOKEN: "\${{ github.token }}" }`,
    "gives its token",
  ],
  ["a title of a pull request as a part of a script", "npm run check", `\${{ github.event.issue.title }}`, "untrusted"],
  ["a key that does not exist", "- run", "- runs", "unexpected key"],
])("%s is a fault", async (_what, from, to, fault) => {
  const faults = await workflowFaults("bad.yml", GOOD.replace(from, to));
  expect(faults).toEqual(expect.arrayContaining([expect.stringContaining(fault)]));
});

test("the workflows of this repository have no fault", async () => {
  const files = readdirSync(FOLDER);
  expect(files).toContain("release.yml");
  for (const file of files) expect(await workflowFaults(file, readFileSync(FOLDER + file, "utf8"))).toEqual([]);
});
