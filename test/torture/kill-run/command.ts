import { parseArgs } from "node:util";
import { storeKinds } from "../stores/index.js";
import { killRun, works } from "./kill-run.js";

const STORES = ["sqlite", "redis", "etcd", "postgres"];

const USAGE = `npm run torture -- kill-run [options]

  Three replicas run schedules with a tick each second, and one of them is killed with SIGKILL every few seconds. Then all
  are killed, and no replica runs for a while. Prints the outcomes of the ticks. A file to which the bodies append is the
  witness that no two bodies of a job overlapped. Exits with 1 if anything is wrong. With --work queue, the replicas add
  items to a queue and handle them, and each that is done has a row in a table: each must have exactly one.

  --work NAME      what the replicas run: ${works.join(", ")}. Default: schedules
  --backend NAME   run only on this store: ${STORES.join(", ")}. Default: one after the other
  --minutes NUMBER for how long replicas are killed. Default: 10
  --between MS     from one kill to the next. Default: 4000
  --takes MS       how long a body takes. Default: 150
  --down SECONDS   how long no replica runs at the end. Default: 15
`;

/** Runs the command `kill-run`. Resolves to the exit code. */
export async function killRunCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      work: { type: "string", default: "schedules" },
      backend: { type: "string" },
      minutes: { type: "string", default: "10" },
      between: { type: "string", default: "4000" },
      takes: { type: "string", default: "150" },
      down: { type: "string", default: "15" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const kinds = storeKinds.filter(({ name }) => STORES.includes(name) && [undefined, name].includes(values.backend));
  if (kinds.length === 0) {
    console.error(`there is no backend "${values.backend}": ${STORES.join(", ")}`);
    return 2;
  }
  const work = works.find((name) => name === values.work);
  if (work === undefined) {
    console.error(`there is no work "${values.work}": ${works.join(", ")}`);
    return 2;
  }
  const times = { between: Number(values.between), takes: Number(values.takes), down: 1_000 * Number(values.down) };
  let code = 0;
  for (const kind of kinds) {
    if (kind.missing !== undefined) {
      console.log(`${kind.name.padEnd(8)} ${kind.missing}`);
      continue;
    }
    const { faults, ...facts } = await killRun({ kind, work, length: 60_000 * Number(values.minutes), ...times });
    console.log(`${kind.name.padEnd(8)} ${faults.length === 0 ? "ok    " : "FAILED"} ${JSON.stringify(facts)}`);
    for (const fault of faults) console.log(`  ${fault}`);
    if (faults.length > 0) code = 1;
  }
  return code;
}
