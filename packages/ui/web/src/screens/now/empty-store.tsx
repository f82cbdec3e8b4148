import type { VNode } from "preact";
import { me } from "../../app/me.js";
import { Section } from "../../parts/page.js";

/**
 * Three lines that create a first job: in a shell if the command line reaches the store, else in a program.
 */
function linesFor(address: string | undefined): readonly string[] {
  if (address === undefined)
    return [
      'import { Scheduler } from "@ojm/schedule";',
      "const scheduler = new Scheduler(manager);",
      'await scheduler.add("hello", { every: 60_000 }, ({ log }) => log.info("it works"));',
    ];
  return [
    `export OJM_STORE='${address.replaceAll("'", "'\\''")}'`,
    'ojm exec hello -- echo "it works"',
    "ojm runs hello",
  ];
}

/** What Now shows of a store in which nothing was ever done: maybe it is not the one that was meant. */
export function EmptyStore(): VNode | null {
  if (me.value === undefined) return null;
  const { store, address } = me.value;
  return (
    <Section title="This store is empty">
      <div class="empty">
        <p>
          <code>{address ?? store}</code> has no run and no schedule, and no process runs schedules in it.
        </p>
        <p>
          {address === undefined
            ? "Create a first job, in the program that has the manager of this store, which is named manager here:"
            : `Create a first job, in a shell${address.includes("***") ? ", with the password of the store for ***" : ""}:`}
        </p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it only if it can have the focus. */}
        <pre tabIndex={0}>{linesFor(address).join("\n")}</pre>
      </div>
    </Section>
  );
}
