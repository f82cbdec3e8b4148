import { resolve } from "node:path";
import { parseArgs } from "node:util";

/** The parsed command line of the demo. */
export interface Arguments {
  readonly file: string;
  /** Whether the file belongs to the demo, which creates it again each time. */
  readonly isOwn: boolean;
  readonly seed: number;
  readonly days: number;
  readonly end: number;
  readonly live: boolean;
}

/** A mistake in the command line. */
export class ArgumentError extends Error {}

export const HELP = `npm run demo -- [OPTIONS]

Makes a SQLite store with a fleet of jobs and a week of their runs, and continues in real time until Ctrl-C.

  --store FILE   where. Default: data/demo.db, which is replaced each time
  --days N       how many days, from 1 to 28. Default: 7
  --seed N       another number makes another week. Default: 1
  --until TIME   when the week ends, in ISO 8601. Default: now. If set, nothing continues in real time
  --no-live      make the week, and end
  --help         this text
`;

const MINUTE = 60_000;
const OWN = "data/demo.db";

function whole(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new ArgumentError(`--${name} is a whole number from ${least} to ${most}, not ${text}`);
}

/**
 * Reads the command line; `undefined` if it asks for help.
 *
 * @throws ArgumentError
 */
export function readArguments(args: readonly string[], now: number): Arguments | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const end = values.until === undefined ? now : Date.parse(values.until);
  if (Number.isNaN(end)) throw new ArgumentError(`--until is a time in ISO 8601, not ${values.until}`);
  if (end > now) throw new ArgumentError(`--until is a time that is over, not ${values.until}`);
  return {
    file: resolve(values.store),
    isOwn: values.store === OWN,
    seed: whole("seed", values.seed, 0, Number.MAX_SAFE_INTEGER),
    days: whole("days", values.days, 1, 28),
    end: Math.floor(end / MINUTE) * MINUTE,
    live: !values["no-live"] && values.until === undefined,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        store: { type: "string", default: OWN },
        days: { type: "string", default: "7" },
        seed: { type: "string", default: "1" },
        until: { type: "string" },
        "no-live": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new ArgumentError(`${(error as Error).message}. --help lists the options`);
  }
}
