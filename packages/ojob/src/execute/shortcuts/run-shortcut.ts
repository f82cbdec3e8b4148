import type { Args, Shortcut } from "../../load/job-file.js";
import { withoutOwn } from "../job/step-args.js";
import { JobError, SkippedJob, toJobError } from "../runtime/job-error.js";
import type { ShortcutContext } from "./context.js";
import { CONTROL } from "./control.js";
import { DATA } from "./data.js";
import { FILES } from "./files.js";
import { OUTPUT } from "./output.js";
import { SECRETS } from "./secrets.js";
import { ShortcutRun, templatesOf } from "./shortcut-run.js";

/** Runs a shortcut, and resolves to the arguments for the next step. */
type RunShortcut = (run: ShortcutRun) => Promise<Args> | Args;

const SHORTCUTS: Readonly<Record<string, RunShortcut>> = { ...CONTROL, ...DATA, ...FILES, ...OUTPUT, ...SECRETS };

/**
 * Runs a shortcut as a step of a job. Resolves to the arguments for the next step.
 *
 * @throws JobError at the place of the shortcut
 */
export async function runShortcut(
  shortcut: Shortcut,
  args: Args,
  context: Omit<ShortcutContext, "run">,
): Promise<Args> {
  const run = Object.hasOwn(SHORTCUTS, shortcut.name) ? SHORTCUTS[shortcut.name] : undefined;
  try {
    if (run === undefined) throw new Error(`there is no shortcut (${shortcut.name})`);
    context.expectToGoOn();
    // The arguments that stand beside the shortcut are for it alone.
    const own = templatesOf(args, context).fill(shortcut.args, "args") as Args;
    const whole: ShortcutContext = { ...context, run: (other, its) => runShortcut(other, its, context) };
    const result = await run(new ShortcutRun(shortcut, { ...args, ...own }, whole));
    return withoutOwn(result, own, args);
  } catch (error) {
    throw placed(toJobError(error, shortcut.at), shortcut);
  }
}

/** An error that names no place happened at the shortcut. What a job has shown is known already. */
function placed(error: JobError, { at }: Shortcut): JobError {
  if (error.at !== undefined || error.shown || error instanceof SkippedJob) return error;
  return Object.assign(new JobError(error.message, { at, failure: error.failure, cause: error }), { args: error.args });
}
