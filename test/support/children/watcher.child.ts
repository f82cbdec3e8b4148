import { type JobManagerOptions, openChannel } from "@ojm/core";

/*
 * Waits for the first change of a channel, and does not close the channel. Argument: a manager's options as
 * JSON.
 */
const { chJobs = {} } = JSON.parse(process.argv[2] ?? "{}") as JobManagerOptions;
const channel = await openChannel("changes", chJobs);
for await (const event of channel.watch()) {
  // From here on, only the watch keeps this process alive.
  if (event.type === "synced") process.disconnect();
  if (event.type !== "put") continue;
  console.log(JSON.stringify(event.entry.value));
  break;
}
