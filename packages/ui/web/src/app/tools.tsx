import type { VNode } from "preact";
import { localZone } from "../format/wall.js";
import { zoneChoice } from "../format/zone.js";
import { Icon } from "../parts/icon.js";
import { me } from "./me.js";
import { nextTheme, theme } from "./theme.js";

const ZONES = { local: "utc", utc: "job", job: "local" } as const;
const SHORT = { local: "Local", utc: "UTC", job: "Job" } as const;
const THEMES = { auto: "auto", light: "sun", dark: "moon" } as const;

/** The zone of times, the theme, and the list of keys. */
export function Tools({ onKeys }: { readonly onKeys: () => void }): VNode {
  const zone = zoneChoice.value;
  // Not in the first frame: a browser without Temporal takes some 30 ms to find it.
  const local = me.value === undefined ? "your zone" : `your zone (${localZone()})`;
  const said = { local, utc: "UTC", job: "the zone of each job" }[zone];
  const name = `${SHORT[zone]}: times in ${said}. Change`;
  return (
    <div class="tools">
      <button
        type="button"
        class="tool text zone"
        aria-label={name}
        title={name}
        onClick={() => (zoneChoice.value = ZONES[zone])}
      >
        {SHORT[zone]}
      </button>
      <ToolButton icon={THEMES[theme.value]} name={`Colours: ${theme.value}. Change`} onClick={nextTheme} />
      <ToolButton icon="keyboard" name="Keys" onClick={onKeys} />
    </div>
  );
}

interface ToolProps {
  readonly icon: Parameters<typeof Icon>[0]["name"];
  readonly name: string;
  readonly onClick: () => void;
}

const ToolButton = ({ icon, name, onClick }: ToolProps): VNode => (
  <button type="button" class="tool" aria-label={name} title={name} onClick={onClick}>
    <Icon name={icon} />
  </button>
);
