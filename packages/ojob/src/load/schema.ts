import { jobName, shortcutItem, stepOptions, steps } from "../shortcuts/syntax.js";
import { notify } from "./notify.js";
import {
  anything,
  args,
  closedMap,
  code,
  either,
  type Fields,
  filledRecord,
  flag,
  list,
  map,
  mapWithOneOf,
  number,
  openMap,
  record,
  required,
  type Shape,
  some,
  text,
  variables,
  word,
} from "./shape.js";

export const envFileItem: Shape = either(
  "A file of variables.",
  text("A file with lines like NAME=value."),
  map(
    {
      path: required(text("A file with lines like NAME=value.")),
      required: flag("Whether the file must be there. Default: true."),
    },
    "A file of variables that may be missing.",
  ),
);

const environment: Fields = {
  env: variables("Variables of the environment. They win over those of `envFile`."),
  envFile: some(envFileItem, "Files with variables of the environment. A later one wins."),
};

const secrets: Shape = filledRecord(
  mapWithOneOf(
    ["env", "file"],
    { env: text("The variable of the environment that has the value."), file: text("The file that holds the value.") },
    "Where the value of a secret comes from.",
  ),
  "Secrets that jobs may request. Their values are masked in everything that is shown or recorded.",
);

export const secretUse: Shape = either(
  "A secret.",
  text("The name of a secret, which becomes an argument."),
  map(
    {
      name: required(text("The name of the secret.")),
      arg: text("The name of the argument. Default: that of the secret, unless `env` is there."),
      env: text("The variable of the environment that gets the value."),
    },
    "A secret, and how the job gets it.",
  ),
);

const secretUses: Shape = some(secretUse, "Secrets of the file that this job gets.");

const runs = ["none", "latest", "all"] as const;

export const blackoutWindow: Shape = closedMap(
  {
    from: text("When it begins: ISO 8601 with its offset."),
    to: text("When it ends."),
    cron: text("When it begins, again and again."),
    duration: number("How long it is, with `cron`.", "milliseconds", 1),
    timeZone: text("The time zone of its `cron`. Default: UTC."),
    reason: text("The reason, for messages."),
  },
  "A time in which nothing starts.",
);

/** The settings of `typeArgs` that @ojm/schedule defines for ticks and failed runs. */
const scheduleWords: Fields = {
  retry: either(
    "How often the job is tried, in all, if it fails.",
    number("How often the job is tried, in all.", "attempts", 1),
    closedMap(
      {
        attempts: required(number("How often the job is tried, in all.", "attempts", 1)),
        delay: number("The time between an attempt and the next one. Default: 60000.", "milliseconds"),
        backoff: word("Whether each delay is twice the one before. Default: exponential.", "fixed", "exponential"),
        maxDelay: number("The longest delay. Default: 3600000.", "milliseconds"),
        onLost: flag("Also retry a run whose process died or was stopped, in another process."),
      },
      "How often the job is tried, and when.",
    ),
  ),
  overlap: word("What happens to a tick that is due while the job runs. Default: skip.", "skip", "queue", "replace"),
  missed: either(
    "Which of the ticks are run that no process decided in time.",
    word("Which of them are run.", ...runs),
    closedMap(
      {
        run: required(word("Which of them are run.", ...runs)),
        within: number("Run no tick that is older than this.", "milliseconds"),
        max: number("With all, how many of them are run at most: the newest.", "ticks", 1),
        downtime: flag("Whether to also run ticks from before the process started. Default: true."),
      },
      "Which of them are run, and how many.",
    ),
  ),
  jitter: number("Delays each tick by up to this much, and never past the next one.", "milliseconds"),
  blackout: some(blackoutWindow, "Times in which no tick starts a run."),
};

export const argument: Shape = map(
  {
    name: required(text("What it is called.")),
    desc: text("What it is for."),
    mandatory: flag("Whether the file is refused without it."),
    required: flag("The same as `mandatory`."),
    example: anything("A value, as one would write it."),
    options: list(text("A value."), "The allowed values. It has one of them."),
    moptions: list(text("A value."), "The allowed values. It may have several of them."),
    secret: flag("Not shown when it is entered."),
  },
  "An argument.",
);

export const helpMap: Shape = map(
  {
    text: text("What it does."),
    expects: list(argument, "The arguments that it takes."),
    returns: list(argument, "What it leaves in `args`."),
  },
  "What it does, and the arguments that it takes.",
);

function help(doc: string): Shape {
  return either(doc, text("What it does."), helpMap);
}

const typeArgs: Fields = {
  cron: text("When to run: 5 fields, or 6 with the seconds first. Makes the job periodic."),
  timeInterval: number("The interval of the runs, in milliseconds. Makes the job periodic.", "milliseconds", 1),
  waitForFinish: flag("Skip a tick while the run before it is still running."),
  timeZone: text("The time zone of `cron`, for example Europe/Lisbon. Default: UTC."),
  timeout: number("End the job after this many milliseconds.", "milliseconds", 1),
  stopWhen: code("End the job as soon as this code returns true."),
  lock: text("Hold a lock of this name while the job runs, waiting for it as long as it takes."),
  lockCh: text("The channel of that lock. Default: the one of the job manager's locks."),
  permits: record(
    number("The most runs that may have it at once, in all processes.", "runs", 1),
    "The permits of the run that oJobManager Job Start begins. It waits for them as long as it takes.",
  ),
  rate: closedMap(
    {
      name: required(text("The name that the runs share.")),
      max: required(number("The most runs that begin in a window, in all processes.", "runs", 1)),
      per: required(number("The window.", "milliseconds", 1)),
    },
    "How often the runs may begin that oJobManager Job Start begins. They wait as long as it takes.",
  ),
  single: flag("Where `args` is a list, work through it one after the other."),
  maxParallel: number("With a matrix or a list of args, how many run at once at most.", "runs", 1),
  failFast: flag(
    "With a matrix or a list of args, the first failure stops the other runs. Default: true with a matrix or `single`.",
  ),
  ...scheduleWords,
  noLog: flag("No banner when this job starts and ends."),
  pwd: text("The folder in which a script in another language, and sh() in JavaScript, runs."),
  file: text("Take the script from this file. For a job of type jobs, the job file to run."),
  url: text(
    "The address of the job file that a job of type jobs runs: its copy is in the folder `urls` beside the file.",
  ),
  execRequire: text(
    "A JavaScript module: the function that it exports under the job's name, or as `exec`, is the script.",
  ),
  chSubscribe: text("The channel that a job of type subscribe follows: it runs for each entry and each change."),
  onlyFromNow: flag("Run a job of type subscribe for changes only, not for the entries that exist."),
  step: map(stepOptions, "Options of the script as one of the steps."),
  shell: text("The program that reads a script with `lang: shell`, with its parameters: bash -s. Default: sh."),
  shellPrefix: text("Stands in brackets before each line that a script with `lang: shell` writes."),
  noTemplate: flag("Leave the templates in a script of another language as they are written."),
  noTemplateArgs: flag("Reject templates in `args`, which would otherwise be filled."),
  shortcut: map(
    {
      name: text("The name, without brackets. Default: the name of the job."),
      keyArg: text("The argument that gets the value of the shortcut."),
      args: record(text("The argument."), "The arguments that get its options, by option."),
      nolog: flag("No effect: typeArgs.noLog hides the banners of a job."),
    },
    "A shortcut that stands for this job in `todo`, `from` and `to`.",
  ),
};

const argsOfMatrix: Shape = record(anything("A value."), "Arguments.");

const matrix: Shape = openMap(
  list(anything("A value."), "An argument, and its values. The job runs once for each combination of values."),
  {
    include: list(argsOfMatrix, "Arguments for the combinations that they fit, or else combinations of their own."),
    exclude: list(argsOfMatrix, "Combinations with these arguments are left out."),
  },
  "Makes the arguments of several runs, as the matrix of GitHub Actions does.",
);

export const depsItem: Shape = either(
  "A job to wait for.",
  jobName,
  map(
    {
      name: required(jobName),
      onSuccess: code("Code that decides, by returning true, whether to continue."),
      onFail: code("Code that decides, by returning true, whether to continue all the same."),
    },
    "A job to wait for, and what to do then.",
  ),
);

const job: Fields = {
  name: required(text("How the job is called in `todo`, `from`, `to`, `catch` and `deps`.")),
  exec: code("The script."),
  args: args("Arguments of the script. They win over those of `todo` and of the command line."),
  matrix,
  from: steps("Jobs that run first, on the same `args`."),
  to: steps("Jobs that run after the script, if all before it went well."),
  earlier: steps("The same as `from`, which wins."),
  // biome-ignore lint/suspicious/noThenProperty: it is the name of a key, and no function
  then: steps("The same as `to`, which wins."),
  onerror: some(code("A job or code."), "The same as `catch`, which wins."),
  catch: some(code("A job or code."), "What runs when a step failed: names of jobs, or code."),
  deps: some(depsItem, "Jobs that must have completed before this one starts."),
  each: some(
    jobName,
    "Jobs that run for each item of the list that `exec` returns, and for each that it passes to `each(item)`.",
  ),
  type: word("What starts the job.", "simple", "periodic", "shutdown", "subscribe", "jobs"),
  typeArgs: map(typeArgs, "Settings of the job's type."),
  lang: text("The language of `exec`: js (the default), shell, node or python."),
  check: map(
    { in: anything("What the arguments must look like."), out: anything("What the results must look like.") },
    "Checks on `args`.",
  ),
  help: help("What `--jobhelp` shows."),
  ...environment,
  secrets: secretUses,
};

export const todoItem: Shape = either(
  "A job to run.",
  jobName,
  shortcutItem,
  mapWithOneOf(
    ["name", "job"],
    {
      name: jobName,
      job: text("The same as `name`."),
      args: args("Arguments for this run of the job."),
      when: code("Run it only if this code returns true."),
    },
    "A job to run, with arguments.",
  ),
);

const settings: Fields = {
  daemon: flag("Stay alive when the todo is done, until a signal ends the process."),
  shutdown: some(text("The name of a job."), "Jobs that run once all others are done, even after a signal."),
  sequential: flag("Run the todo one after the other. The default."),
  async: flag("Run the whole todo at once."),
  numThreads: number("How many jobs may run at once. Default: the number of processors, at least 4.", "threads", 1),
  depsTimeout: number(
    "How long a job waits for its `deps`, in milliseconds. Default: as long as it takes.",
    "milliseconds",
  ),
  templateArgs: flag("Whether {{templates}} in arguments are filled. They always are: `false` makes them an error."),
  argsFromEnvs: flag("Take arguments from the environment too."),
  shareArgs: flag("Hand the arguments that a job of the todo leaves behind to the next one."),
  logToFile: map(
    {
      logFolder: text("The folder of the log files, one a day."),
      filenameTemplate: text("How the log files are called."),
      backupFilenameTemplate: text("How older log files are called."),
      numberOfFiles: number("How many log files are kept.", "files", 1),
      HKhowLongAgoInMinutes: number("Delete log files older than this.", "minutes", 1),
      dontCompress: flag("Leave older log files as they are."),
      setLogOff: flag("Log to the files only."),
    },
    "Write the log to files too.",
  ),
  logToConsole: flag("Show the start, the arguments and the end of jobs on the terminal. Default: true."),
  logArgs: flag("Log the arguments of each job."),
  logJobs: flag("Show when each job starts and ends. Default: true."),
  log: map({ format: word("How a log line looks.", "human", "json") }, "How the log looks."),
  loads: some(
    text("A JavaScript file, or a package."),
    "JavaScript files and packages whose functions scripts may call.",
  ),
  unique: map(
    { pidFile: text("The file that holds the process id."), killPrevious: flag("End the previous process.") },
    "Run this file only once at a time on this host.",
  ),
  channels: map(
    {
      create: list(
        map(
          {
            name: required(text("The name.")),
            type: text("The type. Default: simple."),
            args: anything("Options of the type."),
            options: anything("The same as `args`."),
          },
          "A channel.",
        ),
        "Channels to open before the first job.",
      ),
    },
    "Channels of this file.",
  ),
  catch: code("Code that runs when any job failed."),
  onerror: code("The same as `catch`, which wins."),
  opacks: anything("Packages of OpenAF. They have no effect: ojm check names the functions that a script lacks."),
  includeOJob: flag("No effect: the jobs of OpenAF's ojob.yaml need no include."),
  cronInLocalTime: flag("Read `cron` in the time zone of this machine."),
  notify,
  ...environment,
  secrets,
};

export const jobFileShape: Shape & { readonly kind: "map" } = {
  kind: "map",
  doc: "A job file of ojm.",
  fields: {
    include: some(text("A job file."), "Job files whose jobs this one uses."),
    jobsInclude: some(
      text("A job file."),
      "Job files of which only the jobs are used, and the `code` that they require.",
    ),
    init: anything("Values that scripts find in `init`."),
    ojob: map(settings, "Settings of this file."),
    jobs: list(map(job, "A job."), "The jobs."),
    todo: some(todoItem, "Which jobs to run, in this order."),
    code: record(code("A JavaScript module."), "JavaScript modules that scripts may require, by name."),
    help: help("What `ojm run FILE -h` shows."),
  },
};
