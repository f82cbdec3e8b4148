import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BESIDE: string = fileURLToPath(new URL("../../../../../shared/ojob-manager-guide.md", import.meta.url));

/** A YAML block of the guide. */
export interface GuideBlock {
  /** The line of the guide in which it starts. */
  readonly line: number;
  readonly text: string;
}

/** The guide, if it exists: at `OJM_GUIDE`, or beside the repository. */
export const GUIDE: string | undefined = [process.env["OJM_GUIDE"], BESIDE].find((path) => path && existsSync(path));

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
