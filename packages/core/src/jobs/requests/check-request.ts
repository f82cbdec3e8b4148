import { unknownOption } from "../../channel/backend/config.js";
import { isSignal } from "../../util/abort/abort.js";
import { checkedDuration, type Duration } from "../../util/duration.js";
import { RunError } from "../errors.js";
import { isMap } from "../options.js";

/** The longest reason, or name of a person, in characters. */
const LONGEST_TEXT = 1_000;

/** What every request of a person has. */
interface Request {
  readonly reason: string;
  readonly author?: string;
  readonly wait?: Duration;
  readonly signal?: AbortSignal;
}

/**
 * Checks the name and the options of a cancel or a hold, and returns its `wait` in ms. With a misspelled
 * option, a hold would end at another time than the person meant.
 *
 * @throws RunError `INVALID`
 */
export function checkRequest(
  what: string,
  name: string,
  options: Request,
  { known, wait: usual }: { readonly known: readonly string[]; readonly wait: number },
): number {
  const refuse = refusing(name);
  if (typeof name !== "string" || name === "") refuse(`${what} needs the name of a job, a text that is not empty`);
  const given: Partial<Request> = isMap(options) ? options : {};
  const problem = unknownOption(what, given, known);
  if (problem !== undefined) refuse(problem);
  const { reason, author = "", signal } = given;
  if (typeof reason !== "string" || reason === "" || reason.length > LONGEST_TEXT) {
    refuse(`${what} needs a reason, a text of at most ${LONGEST_TEXT} characters`);
  }
  if (typeof author !== "string" || author.length > LONGEST_TEXT) {
    refuse(`author must be a text of at most ${LONGEST_TEXT} characters`);
  }
  if (signal !== undefined && !isSignal(signal)) refuse("signal must be an AbortSignal");
  return checkedDuration("wait", given.wait ?? usual, refuse, 0, Number.POSITIVE_INFINITY);
}

/** Refuses options of a request for a name. */
export function refusing(name: unknown): (what: string) => never {
  return (what) => {
    throw new RunError("INVALID", String(name), what);
  };
}
