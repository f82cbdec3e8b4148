import { durationText } from "@ojm/core/backend";
import { LINES, visible } from "@ojm/core/internal";
import { builtinFile, builtinFileOf } from "../load/builtin.js";
import type { HelpArgument, JobDefinition, JobFile, JobReference, StepReference } from "../load/job-file.js";
import { loadJobFile } from "../load/load.js";
import { firstLine } from "../load/yaml/node.js";
import { didYouMean, JobFileError } from "../text/problem.js";
import { shownArgs } from "../text/secrets.js";

export function helpOfFile(name: string, job?: string): string {
  const { file } = loadJobFile(name);
  return job === undefined ? fileHelp(file) : jobHelp(name, findJob(name, job, file));
}

function findJob(name: string, job: string, file: JobFile): JobDefinition {
  const builtin = builtinFile(builtinFileOf(job) ?? "")?.jobs.find((one) => one.name === job);
  const found = file.jobs.get(job) ?? builtin;
  if (found !== undefined) return found;
  const message = `${name} has no job "${job}".${didYouMean(job, file.jobs.keys())}`;
  throw new JobFileError([{ severity: "error", message }]);
}

function fileHelp({ source, help, jobs, todo }: JobFile): string {
  const all = [...jobs.values()].filter((job) => job.builtin === undefined);
  const inTodo = new Set(todo.map((entry) => entry.job));
  const rows = all.map((job) => [
    job.name,
    [firstLine(job.help?.text), ...marks(job, inTodo)].filter(Boolean).join(" "),
  ]);
  return paragraphs([
    `${source.name}${help?.text === undefined ? "" : `: ${help.text}`}`,
    `Usage: ojm run ${[source.name, ...(help?.expects ?? []).map(usage)].join(" ")}`,
    section("Arguments (* must be given)", (help?.expects ?? []).map(argument)),
    section("Jobs (ojm run FILE --jobhelp JOB shows more)", rows),
  ]);
}

function jobHelp(name: string, job: JobDefinition): string {
  const { help, from, to, deps } = job;
  const names = (steps: readonly (JobReference | StepReference)[]): string =>
    steps.map((step) => ("job" in step ? step.job : `(${step.shortcut.name})`)).join(", ");
  const facts = [
    ["from", names(from)],
    ["to", names(to)],
    ["catch", names(job.catch.map(({ block, at }) => ({ job: firstLine(block.code), at })))],
    ["deps", names(deps)],
    ["args", job.args.map((args) => shownArgs(args)).join(" ")],
    [
      "schedule",
      job.typeArgs.cron ?? (job.typeArgs.timeInterval && `every ${durationText(job.typeArgs.timeInterval)}`) ?? "",
    ],
    ["type", job.type === "simple" ? "" : job.type],
    ["file", `${job.at.source.name}${job.builtin === undefined ? `:${job.at.line}` : ", which comes with ojm"}`],
  ];
  return paragraphs([
    `${job.name}${job.at.source.name === name ? "" : ` (${job.at.source.name})`}`,
    help?.text ?? "It has no help text.",
    section("Arguments (* must be given)", (help?.expects ?? []).map(argument)),
    section("Returns", (help?.returns ?? []).map(argument)),
    section(
      "As written",
      facts.filter(([, value]) => value !== ""),
    ),
  ]);
}

function marks(job: JobDefinition, inTodo: ReadonlySet<string>): string[] {
  const schedule =
    job.typeArgs.cron ??
    (job.typeArgs.timeInterval === undefined ? undefined : durationText(job.typeArgs.timeInterval));
  return [...(schedule === undefined ? [] : [`[${schedule}]`]), ...(inTodo.has(job.name) ? ["[todo]"] : [])];
}

function usage({ name, mandatory, example }: HelpArgument): string {
  const value = example === undefined ? "…" : /^[\w./:@%+,-]+$/.test(example) ? example : `'${example}'`;
  return mandatory ? `${name}=${value}` : `[${name}=${value}]`;
}

function argument({ name, mandatory, desc, example, options, secret }: HelpArgument): string[] {
  const more = [
    ...(options === undefined ? [] : [`one of ${options.join(", ")}`]),
    ...(example === undefined ? [] : [`for example ${example}`]),
    ...(secret ? ["secret"] : []),
  ];
  return [`${mandatory ? "*" : " "} ${name}`, [desc, ...more.map((text) => `(${text})`)].filter(Boolean).join(" ")];
}

function section(title: string, rows: readonly (readonly (string | number | undefined)[])[]): string {
  if (rows.length === 0) return "";
  const width = Math.min(40, Math.max(...rows.map(([first]) => String(first).length)));
  const lines = rows.map(([first, second]) => `  ${String(first).padEnd(width)}  ${second}`.trimEnd());
  return [`${title}:`, ...lines].join("\n");
}

function paragraphs(parts: readonly string[]): string {
  const text = parts.filter((part) => part !== "").join("\n\n");
  return `${visible(text, LINES)}\n`;
}
