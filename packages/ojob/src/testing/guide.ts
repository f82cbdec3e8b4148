import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A YAML block of the guide. */
export interface GuideBlock {
  /** The line of the guide in which it starts. */
  readonly line: number;
  readonly text: string;
}

/** A guide, if it exists: at the path in a variable of the environment, or beside the repository. */
function guide(variable: string, name: string): string | undefined {
  const beside = fileURLToPath(new URL(`../../../../../shared/${name}`, import.meta.url));
  return [process.env[variable], beside].find((path) => path && existsSync(path));
}

/** The guide of oJob Manager, if it exists: at `OJM_GUIDE`, or beside the repository. */
export const GUIDE: string | undefined = guide("OJM_GUIDE", "ojob-manager-guide.md");

/** The guide of oJob Queue, if it exists: at `OJM_QUEUE_GUIDE`, or beside the repository. */
export const QUEUE_GUIDE: string | undefined = guide("OJM_QUEUE_GUIDE", "ojob-queue-guide.md");

/** The guide of oJob Director, if it exists: at `OJM_DIRECTOR_GUIDE`, or beside the repository. */
export const DIRECTOR_GUIDE: string | undefined = guide("OJM_DIRECTOR_GUIDE", "ojob-director-guide.md");

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
