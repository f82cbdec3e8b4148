/** An exit code, or several that mean the same. */
export interface ExitCode {
  readonly code: string;
  /** What it means, behind the code in a list; absent where that list leaves it out. */
  readonly brief?: string;
  readonly text: string;
}

/** The exit codes that commands may end with. */
export const EXIT_CODES: readonly ExitCode[] = [
  { code: "0", brief: "all went well", text: "All went well." },
  {
    code: "1",
    brief: "a job failed",
    text: "A job failed, or was skipped for that (a job that skips itself, as by its when, is no failure); ojm cancel ended the command of exec; wait found that no process makes the next attempt; run-now found no process that runs the schedule, or was refused; doctor found a problem; ojm or a backend had a fault, whose stack is shown with OJM_DEBUG=1.",
  },
  {
    code: "2",
    brief: "the file or the command line is wrong",
    text: "The file or the command line is wrong: nothing started. Or the store that a command should show is not there.",
  },
  { code: "3", brief: "not found", text: "There is no such run, lock or schedule." },
  { code: "4", brief: "denied", text: "The store denies it." },
  { code: "5", brief: "the store is away", text: "The store is away, or gave an error." },
  { code: "8", brief: "still running", text: "The run still goes on." },
  { code: "75", brief: "the lock is held", text: "The lock is held." },
  {
    code: "76",
    brief: "started already",
    text: "exec with --once-per or --tick: a run of that window or tick has started, and the command is skipped.",
  },
  { code: "124", brief: "timeout", text: "The command took too long, or the run ended by its timeout." },
  {
    code: "129, 130, 143",
    brief: "after SIGHUP, Ctrl-C and SIGTERM",
    text: "After SIGHUP, SIGINT (Ctrl-C) and SIGTERM: the jobs were told, and had the grace to end with their locks held. Their runs are closed as cancelled, or handed over where retry.onLost has another process make them again.",
  },
  { code: "another", text: "What a script asked for by exit(code); what the command of exec ended with." },
];

/** The exit codes in one sentence. */
export function exitCodesInBrief(): string {
  const parts = EXIT_CODES.flatMap(({ code, brief }) =>
    brief === undefined ? [] : [`${code.replace(/, (\d+)$/, " and $1")} ${brief}`],
  );
  return `Exit codes: ${parts.join(", ")}.`;
}
