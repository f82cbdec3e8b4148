import { lastValue } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { CommandError } from "../../errors.js";
import { tell } from "../../output/print.js";

/** The check that --ping names, so that a wrong address is found before the command begins. */
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
 * Reports the start and the end of a command to a check. One that does not answer changes nothing: the
 * command does not wait for the first report, and keeps its exit code whatever happens to the last one.
 */
export class Pinger {
  readonly #check: string;
  readonly #over: AbortController = new AbortController();
  #started: Promise<void> | undefined;
  #run = "";

  constructor(check: string) {
    this.#check = check;
  }

  /** The command has begun. Its further attempts are not reported, but the end of the last one. */
  begin(run: string): void {
    this.#run = run;
    this.#started ??= this.#ping("start", `${run} has started`, "start");
  }

  /** The command is over, or none began: then nothing is reported. */
  async end(code: number): Promise<void> {
    if (this.#started === undefined) return;
    // The check must not hear of the start after the end.
    this.#over.abort();
    await this.#started;
    await this.#ping(code, `${this.#run} has ended with exit code ${code}`, "end");
  }

  async #ping(what: "start" | number, body: string, words: string): Promise<void> {
    const { ping } = await import("@ojm/alerts");
    const why = await ping(this.#check, what, { body, ...(what === "start" && { signal: this.#over.signal }) });
    // The address is a secret: who knows it can report what did not happen.
    if (why !== undefined) tell(`ojm: --ping: the ${words} of the command is not reported: ${why}`);
  }
}
