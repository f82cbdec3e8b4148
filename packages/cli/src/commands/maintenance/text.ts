import { ojmCommand } from "@ojm/core/internal";

/** The command that ends a maintenance of these names. */
export function endOfMaintenance(names: string): string {
  return names === "*" ? "ojm maintenance off" : ojmCommand("maintenance off", names);
}
