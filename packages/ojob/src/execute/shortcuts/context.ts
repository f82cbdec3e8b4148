import type { Args, CodeBlock, Shortcut } from "../../load/job-file.js";
import type { PlannedJob } from "../../plan/planned.js";
import type { ParentExecution } from "../execution.js";
import type { ExecutionHost } from "../job/host.js";
import type { ScriptContext } from "../job/step-args.js";

/** What a shortcut needs of the execution of the job whose step it is. */
export interface ShortcutContext {
  readonly host: ExecutionHost;
  /** The execution: the parent of those of the jobs that the shortcut runs. */
  readonly owner: ParentExecution;
  /** The job that is executed. */
  readonly job: PlannedJob;
  /** The environment and the folder of the job whose step it is. */
  readonly place: ScriptContext;
  /** Fires when the job is asked to stop, and when the step is ended. */
  readonly signal: AbortSignal;
  /** @throws JobError if the job must not go on */
  expectToGoOn(): void;
  /** Runs a script, and resolves to what it returns. */
  evaluate(code: CodeBlock, args: Args): Promise<unknown>;
  /** Runs another job file, with these arguments as its command line. */
  runFile(file: Pick<PlannedJob, "at" | "typeArgs">, args: Args): Promise<void>;
  /** Runs another shortcut as a part of this one. */
  run(shortcut: Shortcut, args: Args): Promise<Args>;
}
