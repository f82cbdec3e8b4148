import type { Shortcut } from "../../load/job-file.js";
import type { PlannedJob } from "../planned.js";

/** What a shortcut has around it: the job whose step it is, or the file. */
export type AroundShortcut = Pick<PlannedJob, "secrets" | "environment" | "folder">;

/** A job whose only step is a shortcut: an item of the todo, or one of several that run at once. */
export function shortcutJob(shortcut: Shortcut, around: AroundShortcut): PlannedJob {
  return {
    name: `(${shortcut.name})`,
    at: shortcut.at,
    args: [],
    argsAt: {},
    steps: [{ shortcut }],
    from: [],
    onError: [],
    deps: [],
    each: [],
    type: "simple",
    // As in OpenAF, shortcuts show no banners.
    typeArgs: { noLog: true },
    checks: { in: [], out: [], from: 0, to: 1, late: false },
    asks: [],
    secretArgs: {},
    variables: {},
    ...around,
  };
}
