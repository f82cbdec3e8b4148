import { checkedDuration, type Duration } from "@ojm/core/backend";

/** The ms of a duration that is the option `what`. @throws RangeError for any other value */
export function msOf(what: string, duration: Duration): number {
  return checkedDuration(what, duration, (message) => {
    throw new RangeError(message);
  });
}
