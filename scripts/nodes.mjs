import { parseArgs } from "node:util";
import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { pack } from "./lib/pack.mjs";
import { LINES, MANAGERS, runMatrix, wantedCells } from "./nodes/matrix.mjs";

const USAGE = `npm run nodes -- [--node ${LINES}] [--manager ${MANAGERS}] [--quick] [--minutes 0]

Packs the packages. For each version of Node and each package manager, installs them in an empty folder and runs there: the quick start on all five
stores, the programs of the READMEs, a Nest application in CommonJS and the types of another one (Nest 10 on Node 20, Nest 11 on Node 22, Nest 12 on
later ones), the quick part of the conformance suite on every backend, and a daemon that is killed ten times.

--quick    only the installation and the quick starts
--minutes  how long the ten daemons run in total. Each runs at least until it has ticked twice`;

const { values } = parseArgs({
  options: {
    node: { type: "string", default: LINES },
    manager: { type: "string", default: MANAGERS },
    quick: { type: "boolean", default: false },
    minutes: { type: "string", default: "0" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}

const cells = wantedCells(values);
await install();
await build();
const { quick, minutes } = values;
const failed = await runMatrix({ ...cells, tarballs: await pack(), quick, minutes: Number(minutes) });
process.exit(failed === 0 ? 0 : 1);
