import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { installArguments } from "./lib/pack.mjs";
import { packRelease } from "./lib/release.mjs";
import { root } from "./lib/run.mjs";

const USAGE = `npm run pack [-- FOLDER]

Builds the packages and packs them into FOLDER (dist/packages), each with its SBOM, and writes their hashes to SHA256SUMS there.
The last line is the command that installs them. The driver of SQLite for Node 20 is in FOLDER/node20.`;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { help: { type: "boolean" } } });
if (values.help || positionals.length > 1) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

// npm starts this in the folder of the repository: a relative path counts from where the user is.
const [given] = positionals;
const folder = given === undefined ? join(root, "dist/packages") : resolve(process.env.INIT_CWD ?? ".", given);
await install();
await build();
await packRelease(folder);
console.log(`npm install ${installArguments(folder)}`);
