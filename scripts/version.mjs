import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { install } from "./lib/install.mjs";
import { stop, tool } from "./lib/run.mjs";

// Changesets take each minor version of a peer for a breaking change of what has the peer. All packages have
// one version, so that the first new feature would make 1.0.0 of 0.1.0. Therefore they do not see the peers.
const cwd = process.cwd();
const manifests = readdirSync(join(cwd, "packages")).map((name) => join(cwd, "packages", name, "package.json"));
const withPeers = manifests.map((file) => ({ file, text: readFileSync(file, "utf8") })).filter(hasOwnPeer);

await install();
for (const { file, text } of withPeers) {
  const { peerDependencies, peerDependenciesMeta, ...rest } = JSON.parse(text);
  writeFileSync(file, `${JSON.stringify(rest, null, 2)}\n`);
}
const code = await tool("changeset", ["version"], { cwd });
for (const { file, text } of withPeers) {
  const { version } = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, text.replace(/^( {2}"version": )"[^"]*"/m, `$1"${version}"`));
}
if (code !== 0) stop("The versions could not be changed.", "See the messages above.");

function hasOwnPeer({ text }) {
  return Object.keys(JSON.parse(text).peerDependencies ?? {}).some((name) => name.startsWith("@ojm/"));
}
