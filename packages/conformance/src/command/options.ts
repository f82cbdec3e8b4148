import { parseArgs } from "node:util";
import { isProfile, type Profile } from "../case/profile.js";

export const USAGE = `usage: ojm-conformance MODULE [options]

MODULE is a path or package that exports a \`harness\`, or a \`backend\` (a type with \`open\`).

  --profile smoke|full|soak   how thorough the run is (default: full)
  --seed N                    make the same choices again
  --only CAS-017,TTL          only these cases or groups
  --args JSON                 the args to open a \`backend\` with
  --json FILE                 write the report there
  --list                      show the cases and the laws they check
  --quiet                     show only what did not pass

exit code: 0 no case failed, 1 a case failed, 2 the suite could not run`;

/** The parsed command line. */
export interface Options {
  readonly module: string | undefined;
  readonly profile: Profile;
  readonly seed: number | undefined;
  readonly only: readonly string[];
  readonly args: Readonly<Record<string, unknown>>;
  readonly json: string | undefined;
  readonly list: boolean;
  readonly quiet: boolean;
  readonly help: boolean;
}

/** Parses the command line. Throws an error with a message for the user. */
export function parse(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      profile: { type: "string", default: "full" },
      seed: { type: "string" },
      only: { type: "string", multiple: true, default: [] },
      args: { type: "string", default: "{}" },
      json: { type: "string" },
      list: { type: "boolean", default: false },
      quiet: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { profile, seed, only, args, json, list, quiet, help } = values;
  if (!isProfile(profile)) throw new Error(`--profile is smoke, full or soak, not "${profile}"`);
  if (positionals.length > 1) throw new Error(`one module at a time, not ${positionals.join(" and ")}`);
  return {
    module: positionals[0],
    profile,
    seed: seed === undefined ? undefined : wholeNumber("--seed", seed),
    only: only.flatMap((names) => names.split(",")).map((name) => name.trim().toUpperCase()),
    args: jsonMap("--args", args),
    json,
    list,
    quiet,
    help,
  };
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${option} is a whole number, not "${text}"`);
  return Number(text);
}

function jsonMap(option: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${option} is not JSON`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${option} is not a JSON map`);
  return value as Record<string, unknown>;
}
