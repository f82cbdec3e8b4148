import type { VNode } from "preact";
import { actionState } from "../../acts/acts.js";
import { queryOf } from "../../api/call.js";
import type { Audit, AuditEntry } from "../../api/types.js";
import { place, to } from "../../app/router.js";
import { JobLink, processText, RunLink, whoText } from "../../parts/facts.js";
import { FindField } from "../../parts/lists/find.js";
import { Paged } from "../../parts/lists/paged.js";
import { Page } from "../../parts/page.js";
import { DidYouMean, Empty } from "../../parts/pictures.js";
import { StateMark } from "../../parts/state.js";
import { Time } from "../../parts/time.js";

const LIMIT = 100;

/** Who did what, to which job, and why. */
export function AuditScreen(): VNode {
  const { query } = place.value;
  const name = query.get("name") ?? undefined;
  const q = query.get("q") ?? undefined;
  return (
    <Page title="Audit" end={<FindField label="Find a job or a user" />}>
      <Paged<Audit, AuditEntry>
        path={(before) => `audit${queryOf({ limit: LIMIT, name, q, before })}`}
        next={({ entries, more }) => (more ? String(entries.at(-1)?.at) : undefined)}
        items={({ entries }) => entries}
        row={(entry) => <Row key={`${entry.at} ${entry.name} ${entry.action}`} entry={entry} />}
        table={{ class: "grid cards", heads: ["What", "Job", "Who", "Why", "When"] }}
        empty={({ meant }) => <None called={q ?? name} meant={meant} />}
      />
    </Page>
  );
}

/** Shown if there are no entries. */
function None({ called, meant }: { readonly called: string | undefined; readonly meant: string | undefined }): VNode {
  return (
    <Empty
      title={called === undefined ? "No actions recorded" : `No actions on a job, or by a user, called “${called}”`}
    >
      {meant === undefined ? (
        "Actions by hand appear here: who, what, to which job, and why."
      ) : (
        <DidYouMean name={meant} href={`${to.audit()}${queryOf({ name: meant })}`} />
      )}
    </Empty>
  );
}

function Row({ entry }: { readonly entry: AuditEntry }): VNode {
  const { at, action, name, reason, holder, run } = entry;
  return (
    <tr>
      <td data-label="What" class="nowrap">
        <StateMark state={actionState(action)} />
      </td>
      <th scope="row" class="main-cell">
        <JobLink name={name} />
      </th>
      <td data-label="Who">{whoText(entry)}</td>
      <td data-label="Why">
        {reason}
        {holder !== undefined && action !== "end-hold" && <span class="dim under">from {processText(holder)}</span>}
      </td>
      <td data-label="When">
        <RunLink run={run}>
          <Time at={at} job={name} />
        </RunLink>
      </td>
    </tr>
  );
}
