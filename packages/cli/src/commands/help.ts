import { hint } from "../command.js";
import { CommandError } from "../errors.js";
import { print } from "../print.js";

const GENERAL = `ojm runs job files, and no job of the same name twice at once.

  ojm run FILE [key=value …] [--job JOB] [--dry-run] [--load FILE] [--strict]
                                              run the todo of a job file, or one of its jobs
  ojm run FILE --help | --jobhelp JOB         show what a job file, or one of its jobs, says of itself
  ojm check FILE [key=value …] [--strict]     find what is wrong with a job file, and run nothing
  ojm history FILE [--name NAME] [--limit N]  show the last runs of its managed jobs
  ojm locks FILE                              show which of its locks are held, and by whom
  ojm schema                                  print the JSON Schema of job files, for editors
  ojm help COMMAND
  ojm --version

Exit codes: 0 all went well, 1 a job failed or was skipped, 2 the file or the command line is wrong,
129, 130 and 143 after SIGHUP, Ctrl-C and SIGTERM.
`;

const COMMANDS: Readonly<Record<string, string>> = {
  run: `ojm run FILE [key=value …] [--job JOB] [--dry-run] [--load FILE] [--strict]

  key=value      arguments for the jobs. Those that the file gives win over them. Paths in them begin at the working
                 directory; paths in the file begin at its folder.
  --job JOB      run only this job, and before it those that it depends on; may be given several times. A schedule is not
                 begun, and the daemon of the file may run meanwhile: locks hold for both
  --dry-run      show what would run, in which order, with which arguments and locks; run nothing
  --load FILE    a JavaScript file whose functions the scripts may call; may be given several times
  --strict       take warnings about the file for errors: nothing is run then
  -h, --help     show the help of the file: what it does, its arguments and its jobs
  --jobhelp JOB  show the help of one of its jobs, or of one that comes with ojm
`,
  check: `ojm check FILE [key=value …] [--strict]

  Finds everything that is wrong with a job file and with those that it includes, and runs nothing: keys, values, names of
  jobs, scripts. Ends with 0 if it can be run, and 2 if not.

  key=value      arguments as they would be given to ojm run
  --strict       take warnings for errors
`,
  history: `ojm history FILE [--name NAME] [--limit N]

  Shows the last runs, newest first, of the job manager that the file sets up by oJobManager Init: each with its error,
  and with the failures of steps after which it went on (continueOnError).
  On a terminal long names and errors are cut; into a file or a pipe they go whole. A store that is not there is not made.

  --name NAME    only the runs of this name (args.name of the job)
  --limit N      the most runs to show. Default: 20
`,
  locks: `ojm locks FILE

  Shows the locks of the job manager that the file sets up by oJobManager Init: those that are held, and by whom, and those
  of the last runs that are free. A store that is not there is not made.
`,
  schema: `ojm schema

  Prints the JSON Schema of job files. With it, editors complete and check them:

  ojm schema > job-file.schema.json

  and as the first line of a job file, for editors that use the YAML language server:

  # yaml-language-server: $schema=job-file.schema.json
`,
  help: `ojm help COMMAND

  Shows how a command is used.
`,
  version: `ojm version

  Prints the version.
`,
};

/** Prints how the program, or one command of it, is used. */
export async function execute([command]: readonly string[]): Promise<number> {
  const text = command === undefined ? GENERAL : Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (text === undefined) {
    throw new CommandError(`there is no command "${command}".${await hint(command ?? "", Object.keys(COMMANDS))}`);
  }
  print(text);
  return 0;
}
