import { hash32 } from "../definition/hash.js";

/**
 * Whether `member` comes before `self` for the schedule `name`. Each member computes the same order, and when
 * one leaves, only its own schedules move to others.
 *
 * Core elects the process that sweeps by an entry that its owner renews. Here that would be one entry for
 * each schedule, and one owner, where a second member must act a moment after a first one that is busy.
 */
export function comesBefore(name: string, member: string, self: string): boolean {
  const [score, own] = [hash32(`${name} ${member}`), hash32(`${name} ${self}`)];
  return score > own || (score === own && member > self);
}

/**
 * How many of `members` come before `self` for the schedule `name`: with 0 it fires the ticks, with 1 it
 * fires those that the first does not.
 */
export function rankOf(name: string, self: string, members: Iterable<string>): number {
  let before = 0;
  for (const member of members) if (member !== self && comesBefore(name, member, self)) before++;
  return before;
}
