import { lastValue } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { CommandError } from "../../errors.js";
import { printError } from "../../output/print.js";

/** The check of --ping. A wrong address is found before the command starts. */
export async function pingOption(given: Given): Promise<Pinger | undefined> {
  const check = lastValue(given, "ping");
  if (check === undefined) return undefined;
  const { AlertsError, checkRules } = await import("@ojm/alerts");
  try {
    checkRules([{ on: ["failed"], to: { healthchecks: check } }]);
  } catch (error) {
    if (!(error instanceof AlertsError)) throw error;
    throw new CommandError(error.message.replace(error.option, "--ping"));
  }
  return new Pinger(check);
}

/**
 * Reports the start and the end of a command to a check. A check that does not answer has no effect: the
 * command does not wait for the first report, and the last report does not change the exit code.
 */
export class Pinger {
  readonly #check: string;
  readonly #over: AbortController = new AbortController();
  #started: Promise<void> | undefined;
  #run = "";

  constructor(check: string) {
    this.#check = check;
  }

  /** The command has started. Of a retry series, only the first start and the last end are reported. */
  begin(run: string): void {
    this.#run = run;
    this.#started ??= this.#ping("start", `${run} has started`, "start");
  }

  /** The command has ended. If none started, nothing is reported. */
  async end(code: number): Promise<void> {
    if (this.#started === undefined) return;
    // The start must not be reported after the end.
    this.#over.abort();
    await this.#started;
    await this.#ping(code, `${this.#run} has ended with exit code ${code}`, "end");
  }

  async #ping(what: "start" | number, body: string, words: string): Promise<void> {
    const { ping } = await import("@ojm/alerts");
    const why = await ping(this.#check, what, { body, ...(what === "start" && { signal: this.#over.signal }) });
    // The address is a secret: it allows false reports.
    if (why !== undefined) printError(`ojm: --ping: the ${words} of the command is not reported: ${why}`);
  }
}
