import type { JobManager } from "@ojm/core";
import { lastValue } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { print } from "../../../output/print.js";
import { fileOperands, openJobFile } from "../../../store/job-file.js";
import { withStore } from "../../../store/open.js";
import { limitOf, runsText } from "./runs.js";

/** Shows the last runs of the job manager that a job file sets up, or of a store. */
export async function execute(given: Given): Promise<number> {
  const name = lastValue(given, "name");
  const options = { limit: limitOf(given), ...(name !== undefined && { name }) };
  const show = async (manager: JobManager): Promise<void> => print(await runsText(given, manager, options));
  if (given.operands.length === 0) return withStore(given, show);
  const { file, args } = fileOperands(given);
  await using manager = await openJobFile(file, args);
  await show(manager);
  return 0;
}
