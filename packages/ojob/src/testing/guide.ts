import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SHARED = new URL("../../../../../shared/", import.meta.url);
const BESIDE: string = fileURLToPath(new URL("ojob-manager-guide.md", SHARED));
const DIRECTOR: string = fileURLToPath(new URL("ojob-director-guide.md", SHARED));

/** A YAML block of the guide. */
export interface GuideBlock {
  /** The line of the guide in which it starts. */
  readonly line: number;
  readonly text: string;
}

/** The guide, if it exists: at `OJM_GUIDE`, or beside the repository. */
export const GUIDE: string | undefined = [process.env["OJM_GUIDE"], BESIDE].find((path) => path && existsSync(path));

/** The guide of oJob Director, if it exists: at `OJM_DIRECTOR_GUIDE`, or beside the repository. */
export const DIRECTOR_GUIDE: string | undefined = [process.env["OJM_DIRECTOR_GUIDE"], DIRECTOR].find(
  (path) => path && existsSync(path),
);

/** Why a test that needs the guide is skipped. */
export const NO_GUIDE = "the guide is neither at OJM_GUIDE nor beside the repository";

/** All YAML blocks of the guide. Empty if the guide is missing. */
export function guideBlocks(): GuideBlock[] {
  if (GUIDE === undefined) return [];
  const text = readFileSync(GUIDE, "utf8");
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length + 1,
    text: match[1] ?? "",
  }));
}
