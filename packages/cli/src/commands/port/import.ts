import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import type { JobManager } from "@ojm/core";
import type { Exported, RunImport } from "@ojm/core/internal";
import type { ExportedSchedulePart, ScheduleImport } from "@ojm/schedule";
import { expectNoMore } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { CommandError } from "../../errors.js";
import { done, printError } from "../../output/print.js";
import { explained } from "../../store/explain.js";
import { withStore } from "../../store/open.js";
import { type Counts, FORMAT, FORMAT_VERSION, type Head, inWords, leftOutInWords } from "./format.js";
import { type Line, linesOf } from "./lines.js";

/** Imports an export of another store into this one. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given, 1);
  const [file] = given.operands;
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
      const counts = await new Target(manager, runs, source).take(lines);
      const lower = await runs.lowerFences();
      if (lower !== undefined) printError(warning(lower));
      const text = [...sentences(counts), ...leftOutInWords(counts)];
      const from = { store: head.store, at: head.at, ojm: head.ojm };
      return done(given, text.join("\n"), { from, ...counts, ...(lower && { lowerFences: lower }) });
    },
    { create: true },
  );
}

type LowerFences = NonNullable<Awaited<ReturnType<RunImport["lowerFences"]>>>;

function warning({ imported, here }: LowerFences): string {
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

/** The store that takes the lines. */
class Target {
  readonly #manager: JobManager;
  readonly #source: string;
  readonly #runs: RunImport;
  #schedules: ScheduleImport | undefined;

  constructor(manager: JobManager, runs: RunImport, source: string) {
    this.#manager = manager;
    this.#runs = runs;
    this.#source = source;
  }

  /** Imports all lines. Lines before an error are imported, and the error reports them. */
  async take(lines: AsyncIterable<Line>): Promise<Counts> {
    let last = 1;
    let isWhole = false;
    try {
      for await (const { number, text } of lines) {
        if (isWhole) throw new CommandError(`line ${number} of ${this.#source} comes after the end of the export`);
        last = number;
        isWhole = await this.#add(number, text);
      }
      await this.#flush();
    } catch (error) {
      const known = explained(error);
      if (known === undefined) throw error;
      // Not if the store failed: another call would wait for it again.
      if (error instanceof CommandError) await this.#flush();
      throw this.#withCounts(known.message, known.code);
    }
    if (isWhole) return this.#counts();
    throw this.#withCounts(`${this.#source} ends early, after line ${last}: the export was not completed`);
  }

  /** Resolves to whether it was the last line. */
  async #add(number: number, text: string): Promise<boolean> {
    const part = fieldsOf(text);
    const where = `line ${number} of ${this.#source}`;
    if (part === undefined) throw new CommandError(`${where} is damaged: it is not a JSON object`);
    if ("end" in part) return true;
    try {
      if ("schedule" in part || "tick" in part) await (await this.#scheduler()).add(part as ExportedSchedulePart);
      else await this.#runs.add(part as Exported);
    } catch (error) {
      if (!isInvalid(error)) throw error;
      throw new CommandError(`${where} is damaged: ${error.message}`);
    }
    return false;
  }

  async #scheduler(): Promise<ScheduleImport> {
    const { openScheduleImport } = await import("@ojm/schedule");
    this.#schedules ??= await openScheduleImport(this.#manager);
    return this.#schedules;
  }

  async #flush(): Promise<void> {
    await this.#runs.flush();
    await this.#schedules?.flush();
  }

  #counts(): Counts {
    const none = { imported: 0, present: 0, leftOut: {} };
    return { ...this.#runs.counts, ...(this.#schedules?.counts ?? { schedules: none, ticks: none }) };
  }

  #withCounts(message: string, code?: number): CommandError {
    const before = sentences(this.#counts()).join("; ");
    return new CommandError(`${message}. Before that: ${before}. It is safe to import it again`, code);
  }
}

/** Whether the error is about the line, not the store. */
function isInvalid(error: unknown): error is Error {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  if (name === "RunError" || name === "ScheduleError") return code === "INVALID";
  return name === "ChannelError" && code === "INVALID_ARGUMENT";
}
