import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Several calls of this process wait for one name at once. Answers "cpu" with the processor time so far, in
 * ms. At the end it sends the start and end of each body, by the clock of the host, and how many calls
 * failed. Arguments: the manager's options as JSON, the name, how many calls.
 */
const [options = "{}", name = "job", count = "1"] = process.argv.slice(2);

const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const bodies: (readonly [begin: number, end: number])[] = [];
let failed = 0;

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: (user + system) / 1_000 });
});

const wait = async (): Promise<void> => {
  try {
    await manager.run(
      name,
      (run) => {
        const begin = now();
        run.assertHeld();
        bodies.push([begin, now()]);
      },
      { wait: 3_600_000 },
    );
  } catch (error) {
    failed++;
    console.error(error);
  }
};
await Promise.all(Array.from({ length: Number(count) }, wait));
await manager.close();
process.send?.({ bodies, failed }, () => process.exit());
