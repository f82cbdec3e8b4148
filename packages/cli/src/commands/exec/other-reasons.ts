import type { JobManager } from "@ojm/core";
import type { OtherReason } from "@ojm/ui";
import { commandText, helpCommand, type Orphan, orphansOf } from "./orphans.js";
import { sayRefusals } from "./refusals.js";

/** The reasons, known only to `ojm exec`, why one job or any job does not run. The UI shows them. */
export async function otherReasons(
  manager: JobManager,
  name?: string,
  running?: ReadonlySet<string>,
): Promise<OtherReason[]> {
  const orphans = (await orphansOf(manager, running)).filter((orphan) => name === undefined || orphan.name === name);
  const refused = name === undefined ? undefined : await sayRefusals(manager, name);
  return [
    ...orphans.map(reasonOf),
    ...(name === undefined || refused === undefined ? [] : [{ name, code: "refused", text: refused } as const]),
  ];
}

function reasonOf(orphan: Orphan): OtherReason {
  const { name, run, host, isCertain } = orphan;
  return {
    name,
    code: "orphaned",
    text: commandText(orphan),
    help: isCertain
      ? `To end it, on ${host}: ${helpCommand(orphan)}`
      : `To see whether it is there, ${helpCommand(orphan)}`,
    run,
    keeps: isCertain,
  };
}
