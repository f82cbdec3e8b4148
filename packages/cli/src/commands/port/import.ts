import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import type { JobManager } from "@ojm/core";
import type { Exported, RunImport } from "@ojm/core/internal";
import type { ExportedSchedulePart, ScheduleImport } from "@ojm/schedule";
import { optionalOperand } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { CommandError } from "../../errors.js";
import { done, printError } from "../../output/print.js";
import { explained } from "../../store/explain.js";
import { withStore } from "../../store/open.js";
import { type Counts, FORMAT, FORMAT_VERSION, type Head, inWords, leftOutInWords } from "./format.js";
import { type Line, linesOf } from "./lines.js";

/** Imports an export of another store into this one. */
export async function execute(given: Given): Promise<number> {
  const file = optionalOperand(given);
  const source = file ?? "the input";
  if (file === undefined && process.stdin.isTTY)
    throw new CommandError("ojm import needs a file, or an export on its stdin: ojm export … | ojm import …");
  const stream = file === undefined ? process.stdin : createReadStream(resolve(process.cwd(), file));
  const lines = linesOf(stream, source);
  // Opens, and creates, the store only if the input is an export.
  const head = await readHead(lines, source);
  return withStore(
    given,
    async (manager) => {
      const runs = await manager.openImport();
      const counts = await importLines(lines, source, manager, runs);
      const lower = await runs.lowerFences();
      if (lower !== undefined) printError(warning(lower));
      const text = [...sentences(counts), ...leftOutInWords(counts)];
      const from = { store: head.store, at: head.at, ojm: head.ojm };
      return done(given, text.join("\n"), { from, ...counts, ...(lower && { lowerFences: lower }) });
    },
    { create: true },
  );
}

function warning({ imported, here }: NonNullable<Awaited<ReturnType<RunImport["lowerFences"]>>>): string {
  return `ojm: warning: the fences of this store are below those of the imported runs (${here} < ${imported}). A system that has stored a fence of an imported run rejects the runs of this store: reset the fence that it has stored`;
}

function sentences(counts: Counts): string[] {
  const present = inWords((kind) => counts[kind].present);
  const imported = `imported ${inWords((kind) => counts[kind].imported)}`;
  return present === "nothing" ? [imported] : [imported, `already there: ${present}`];
}

async function readHead(lines: AsyncGenerator<Line, void, undefined>, source: string): Promise<Head> {
  const first = await lines.next().catch((error: NodeJS.ErrnoException) => {
    throw error.code === undefined || error instanceof CommandError
      ? error
      : new CommandError(`${source} cannot be read: ${error.message}`);
  });
  if (first.done === true)
    throw new CommandError(
      `${source} is empty: an export has a first and a last line, even that of a store without runs`,
    );
  const head = fieldsOf(first.value.text) as Partial<Head> | undefined;
  if (head?.format !== FORMAT || typeof head.version !== "number")
    throw new CommandError(`${source} is not an export of ojm: its first line does not have the format "ojm-export"`);
  if (head.version > FORMAT_VERSION)
    throw new CommandError(
      `${source} has the format ${head.version}, of ojm ${head.ojm}. This one reads up to ${FORMAT_VERSION}: update ojm`,
    );
  return head as Head;
}

/** The fields of a line; `undefined` if it is not a map in JSON. */
function fieldsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Imports all lines. Lines before an error are imported, and the error reports them. */
async function importLines(
  lines: AsyncIterable<Line>,
  source: string,
  manager: JobManager,
  runs: RunImport,
): Promise<Counts> {
  let schedules: ScheduleImport | undefined;
  let last = 1;
  let isWhole = false;
  /** Resolves to whether it was the last line. */
  const add = async ({ number, text }: Line): Promise<boolean> => {
    const part = fieldsOf(text);
    const where = `line ${number} of ${source}`;
    if (part === undefined) throw new CommandError(`${where} is damaged: it is not a JSON object`);
    if ("end" in part) return true;
    try {
      if ("schedule" in part || "tick" in part) {
        schedules ??= await (await import("@ojm/schedule")).openScheduleImport(manager);
        await schedules.add(part as ExportedSchedulePart);
      } else await runs.add(part as Exported);
    } catch (error) {
      if (!isInvalid(error)) throw error;
      throw new CommandError(`${where} is damaged: ${error.message}`);
    }
    return false;
  };
  const flush = async (): Promise<void> => {
    await runs.flush();
    await schedules?.flush();
  };
  const counts = (): Counts => {
    const none = { imported: 0, present: 0, leftOut: {} };
    return { ...runs.counts, ...(schedules?.counts ?? { schedules: none, ticks: none }) };
  };
  const withCounts = (message: string, code?: number): CommandError => {
    const before = sentences(counts()).join("; ");
    return new CommandError(`${message}. Before that: ${before}. It is safe to import it again`, code);
  };
  try {
    for await (const line of lines) {
      if (isWhole) throw new CommandError(`line ${line.number} of ${source} comes after the end of the export`);
      last = line.number;
      isWhole = await add(line);
    }
    await flush();
  } catch (error) {
    const known = explained(error);
    if (known === undefined) throw error;
    // Not if the store failed: another call would wait for it again.
    if (error instanceof CommandError) await flush();
    throw withCounts(known.message, known.code);
  }
  if (isWhole) return counts();
  throw withCounts(`${source} ends early, after line ${last}: the export was not completed`);
}

/** Whether the error is about the line, not the store. */
function isInvalid(error: unknown): error is Error {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  if (name === "RunError" || name === "ScheduleError") return code === "INVALID";
  return name === "ChannelError" && code === "INVALID_ARGUMENT";
}
