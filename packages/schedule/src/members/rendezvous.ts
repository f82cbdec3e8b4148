import { hash32 } from "../definition/hash.js";

/**
 * How many of `members` come before `self` for the schedule `name`: with 0 it fires the ticks, with 1 it
 * fires those that the first does not. Each member of a list comes to the same order, without a word
 * between them, and when one leaves, only its own schedules go to others.
 */
export function rankOf(name: string, self: string, members: Iterable<string>): number {
  const own = hash32(`${name} ${self}`);
  let before = 0;
  for (const member of members) {
    if (member === self) continue;
    const score = hash32(`${name} ${member}`);
    if (score > own || (score === own && member > self)) before++;
  }
  return before;
}
