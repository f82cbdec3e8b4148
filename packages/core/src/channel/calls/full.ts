import { type ChannelError, isChannelError } from "../errors.js";

/**
 * Whether a call failed because the store has no room. That is no short outage: it lasts until somebody makes
 * room, so the caller is told at once.
 */
export function isFull(error: unknown): error is ChannelError {
  return isChannelError(error) && error.code === "FULL";
}
