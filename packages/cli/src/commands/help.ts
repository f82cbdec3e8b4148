const GENERAL = `ojm runs job files, and no job of the same name twice at once.

  ojm run FILE [key=value …] [--load FILE]   run the todo of a job file
  ojm history FILE [--name NAME] [--limit N] show the last runs of its managed jobs
  ojm locks FILE                             show which of its locks are held, and by whom
  ojm --version

Exit codes: 0 all went well, 1 a job failed or was skipped, 2 the file or the command line is wrong,
130 and 143 after Ctrl-C and SIGTERM.
`;

const COMMANDS: Readonly<Record<string, string>> = {
  run: `ojm run FILE [key=value …] [--load FILE]

  key=value     arguments for the jobs. Those that the file gives win over them.
  --load FILE   a JavaScript file whose functions the scripts may call; may be given several times
`,
  history: `ojm history FILE [--name NAME] [--limit N]

  Shows the last runs, newest first, of the job manager that the file sets up by oJobManager Init.

  --name NAME   only the runs of this name (args.name of the job)
  --limit N     the most runs to show. Default: 20
`,
  locks: `ojm locks FILE

  Shows the locks of the job manager that the file sets up by oJobManager Init: those that are held, and by whom, and those
  of the last runs that are free.
`,
};

/** Prints how the program, or one command of it, is used. */
export async function execute([command]: readonly string[]): Promise<number> {
  process.stdout.write((command !== undefined && COMMANDS[command]) || GENERAL);
  return 0;
}
