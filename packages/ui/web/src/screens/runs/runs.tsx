import type { VNode } from "preact";
import type { Status } from "../../api/types.js";
import { place, setQuery } from "../../app/router.js";
import { ALL_STATUSES, stateOf } from "../../format/states.js";
import { Icon } from "../../parts/icon.js";
import { FindField } from "../../parts/lists/find.js";
import { RangeField, rangeOf } from "../../parts/lists/range-field.js";
import { Page } from "../../parts/page.js";
import { RunsTable } from "./runs-table.js";

const LIMIT = 50;

/** The runs of all jobs, the newest first. */
export function RunsScreen(): VNode {
  const { query } = place.value;
  const status = query.get("status") ?? undefined;
  const name = query.get("name") ?? undefined;
  const q = query.get("q") ?? undefined;
  const { from, to } = rangeOf(place.value);
  return (
    <Page title="Runs" end={<FindField label="Name of a job" />}>
      <fieldset class="chips filters" aria-label="Only runs that are">
        {ALL_STATUSES.map((each) => (
          <StatusButton key={each} status={each} pressed={each === status} />
        ))}
      </fieldset>
      <RangeField clears />
      <RunsTable query={{ limit: LIMIT, name, q, status, from, to }} {...(name !== undefined && { names: [name] })} />
    </Page>
  );
}

interface StatusProps {
  readonly status: Status;
  readonly pressed: boolean;
}

function StatusButton({ status, pressed }: StatusProps): VNode {
  const { icon, tone, word } = stateOf(status);
  return (
    <button
      type="button"
      class="button"
      aria-pressed={pressed}
      onClick={() => setQuery({ status: pressed ? undefined : status })}
    >
      <span class="state" data-tone={tone}>
        <Icon name={icon} />
      </span>
      {word}
    </button>
  );
}
