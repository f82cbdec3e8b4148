import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { jobFileShape } from "../load/schema.js";
import { toYaml } from "../load/yaml/yaml.js";
import { guideBlocks } from "./guide.js";
import { fullValue } from "./values.js";

/** The folder of the examples. */
export const EXAMPLES: string = fileURLToPath(new URL("../../../../examples", import.meta.url));

/** The names of the example job files. */
export function exampleNames(): string[] {
  return readdirSync(EXAMPLES).filter((name) => name.endsWith(".yaml"));
}

/** Contents of job files that are easily misread. */
const TRICKY = `%YAML 1.2
---
include: [oJobManager.yaml] # a comment
init: &init { number: 0x1F, date: 2026-01-31, yes: yes, nothing: ~, inf: .inf, "quoted: key": 'it''s' }
ojob: { daemon: false, catch: "log(\\u0041)" }
jobs:
  - &base
    name: A
    args: &args { <<: *init, list: [1, 2, { three: 3 }] }
    exec: >-
      log("folded")

      log("text")
  - <<: *base
    name: 42
    args: [*args, { b: "{{number}}" }]
    exec: |2
        log("indented");
    catch: [oJobManager Error, "log(exception)"]
  - name: "日本語 \\e[31m"
    from: A
    to: [oJobManager Job Start]
    args: { name: x, timeout: 1 }
todo: [A, { name: 42, args: [{ a: 1 }], when: return true }]
`;

/** Job files to mutate: our own, the examples, those with every key, and the blocks of the guide. */
export function corpus(): string[] {
  return [
    TRICKY,
    ...exampleNames().map((name) => readFileSync(join(EXAMPLES, name), "utf8")),
    ...[0, 1, 2, 3].map((choice) => toYaml(fullValue(jobFileShape, choice))),
    ...guideBlocks().map(({ text }) => text),
  ];
}
