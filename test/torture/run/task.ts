import { faults } from "../faults/index.js";
import type { Finding } from "../report/finding.js";
import type { Mode } from "../scene/events.js";
import { storeKinds } from "../stores/index.js";
import type { Cell } from "./cell.js";

/** A cell by the names of its parts, as processes send it to each other. */
export interface Task {
  readonly backend: string;
  readonly fault: string;
  readonly mode: Mode;
  readonly seed: number;
  /** In ms. */
  readonly ttl: number;
  readonly bug?: string;
  /** The folder of the programs of the base version, if half of the workers run it. */
  readonly base?: string;
}

/** The result of a task: the text to print, and the finding to keep. */
export interface Done {
  readonly text: string;
  readonly row: Finding;
}

/** The cell of a task. Throws if the cell does not exist. */
export function cellOf({ backend, fault: faultName, ...rest }: Task): Cell {
  const kind = storeKinds.find(({ name }) => name === backend);
  const fault = faults.find((each) => each.name === faultName);
  if (kind === undefined || fault === undefined) throw new Error(`there is no cell ${backend}, ${faultName}`);
  return { kind, fault, ...rest };
}
