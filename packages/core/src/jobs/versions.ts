import manifest from "../../package.json" with { type: "json" };
import type { RunRecord } from "./types.js";

/** The versions of ojm and of Node in this process. */
export const VERSIONS: NonNullable<RunRecord["versions"]> = { ojm: manifest.version, node: process.versions.node };
