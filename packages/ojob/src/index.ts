/** Job files: load, plan, execute. */
export type { PrepareType } from "./execute/managers.js";
export { openManagerOf } from "./inspect.js";
export type { Args } from "./load/jobfile.js";
export { duration, Log } from "./output/log.js";
export { Output } from "./output/output.js";
export { commandLineValue } from "./plan/args.js";
export { describe, JobFileError, type Position, type Problem } from "./problem.js";
export { type RunControl, type RunFileOptions, runJobFile } from "./run.js";
export { SourceFile } from "./source.js";
