import { resolve } from "node:path";
import { durationText } from "@ojm/core/backend";
import type { Variables } from "../../text/environment.js";
import type { FailureData } from "../protocol.js";
import type { ScriptHost } from "../thread.js";
import { ChildGroup } from "./child.js";

/** A command for a shell, or a program with its parameters, which runs without a shell. */
export type CommandLine = string | readonly string[];

export interface ShellOptions {
  readonly directory?: string;
  readonly stdin?: string;
  readonly quiet?: boolean;
  /** Its environment, instead of that of this process. */
  readonly env?: Readonly<Record<string, unknown>>;
  readonly timeout?: number;
  /** The prefix of each line that is shown. */
  readonly prefix?: string;
}

export interface ShellResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitcode: number;
}

export interface ShellPlace {
  /** The folder. Default: that of this process. */
  readonly folder: string | undefined;
  readonly variables: Variables;
}

/** A command that a script runs and waits for. */
export class ShellCommand {
  readonly #group: ChildGroup;
  readonly #options: ShellOptions;

  /** `grace` is how long it has to end after a request to end, in ms. */
  constructor(command: CommandLine, options: ShellOptions, { folder, variables }: ShellPlace, grace: number) {
    const { directory, stdin, env } = options;
    const [program = "", ...parameters] = typeof command === "string" ? ["sh", "-c", command] : command.map(String);
    const path = directory === undefined ? folder : resolve(folder ?? "", String(directory));
    const place = {
      environment: env === undefined ? variables : textsOf(env),
      ...(path !== undefined && { folder: path }),
    };
    const input = stdin === undefined ? {} : { input: String(stdin) };
    this.#group = new ChildGroup({ command: program, parameters, ...place, ...input }, grace);
    this.#options = options;
  }

  async run(host: Pick<ScriptHost, "print" | "call">): Promise<ShellResult> {
    const { quiet, prefix = "" } = this.#options;
    const written = { stdout: "", stderr: "" };
    const lift = this.#limit();
    const { code, signal, error } = await this.#group
      .run({
        line: (text, toError, last) => {
          written[toError ? "stderr" : "stdout"] += text;
          const shown = text.replace(/^(?=[\s\S])/gm, prefix);
          if (!quiet) host.print(last ? `${shown}\n` : shown, toError);
        },
        room: async () => void (await host.call("room", [])),
      })
      .finally(lift);
    if (error !== undefined) throw new Error(`the command cannot be started: ${error.message}`);
    // A shell reports a signal as an exit code above 128.
    return { ...written, exitcode: code ?? (signal === null ? 1 : 128) };
  }

  #limit(): () => void {
    const { timeout } = this.#options;
    if (timeout === undefined) return () => {};
    const message = `the command took longer than ${durationText(Number(timeout))}`;
    const timer = setTimeout(() => this.#group.end({ name: "JobError", message }), Number(timeout));
    return () => clearTimeout(timer);
  }

  stop(): void {
    this.#group.stop();
  }

  end(why: FailureData): void {
    this.#group.end(why);
  }
}

function textsOf(variables: Readonly<Record<string, unknown>>): NodeJS.ProcessEnv {
  const given = Object.entries(variables).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}
