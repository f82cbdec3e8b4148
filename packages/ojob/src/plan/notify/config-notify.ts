import { check } from "../../load/check/check.js";
import { notify as shape } from "../../load/check/notify-shape.js";
import { readNotify } from "../../load/read/read-notify.js";
import { child } from "../../load/yaml/node.js";
import { parseYaml } from "../../load/yaml/parse.js";
import { Problems } from "../../text/problem.js";
import { SourceFile } from "../../text/source-file.js";
import { NOTHING_AROUND } from "../environment/surroundings.js";
import type { PlannedNotify } from "../planned.js";
import { fillNotify } from "./plan-notify.js";

/**
 * Reads the `notify` of a config, which is like that of a job file, and fills it from the environment.
 * `text`: the config as YAML or JSON. Resolves to `undefined` if it has no rules.
 *
 * @throws JobFileError with every problem at once
 */
export async function notifyOfConfig(path: string, text: string): Promise<PlannedNotify | undefined> {
  const problems = new Problems();
  const node = child(parseYaml(new SourceFile(path, path, text), problems), "notify");
  if (node === undefined) return undefined;
  const written = readNotify(check(node, shape, '"notify"', problems, ["notify"]));
  const around = { ...NOTHING_AROUND, values: "needed" } as const;
  const isKnown = written !== undefined && written.rules.length > 0 && problems.isWhole;
  const notify = isKnown ? await fillNotify(written, { args: undefined, around }, problems) : undefined;
  problems.throwErrors();
  return notify;
}
