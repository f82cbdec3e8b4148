import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { ActDialog } from "../acts/act-dialog.js";
import { ask } from "../acts/acts.js";
import type { Now } from "../api/types.js";
import { second } from "../format/clock.js";
import { elapsedText } from "../format/duration.js";
import { localZone } from "../format/wall.js";
import { zoneChoice } from "../format/zone.js";
import { useJobZones } from "../live/job-zones.js";
import { connection, now } from "../live/live.js";
import { KeysDialog, keysOpen } from "../palette/keys.js";
import { Palette, paletteOpen } from "../palette/palette.js";
import { Icon, type IconName } from "../parts/icon.js";
import { Time } from "../parts/time.js";
import { Toasts } from "../parts/toasts.js";
import { may, me, signedOut } from "./me.js";
import { PAGES, place, to } from "./router.js";
import { Screen } from "./screen.js";
import { Expired, SignedOut, signOut } from "./sign-in.js";
import { nextTheme, theme } from "./theme.js";

/** The whole window: the list of pages, and the current page. */
export function Shell(): VNode {
  useJobZones();
  const isOld = connection.value.state === "stale" || connection.value.state === "away";
  return (
    <div class={isOld ? "shell old" : "shell"}>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>("h1")?.focus()}>
        Skip to content
      </button>
      <Side />
      <main class="main">
        {signedOut.value && me.value === undefined ? (
          <SignedOut />
        ) : (
          <>
            <Banner />
            {now.value?.maintenance.map((one) => (
              <MaintenanceBar key={one.names} {...one} />
            ))}
            <Screen />
          </>
        )}
      </main>
      <Palette />
      <KeysDialog />
      <ActDialog />
      <Toasts />
    </div>
  );
}

function Side(): VNode {
  const problems = now.value?.problems.length ?? 0;
  const part = place.value.parts[0];
  return (
    <header class="side">
      <a class="brand" href={to.now()} aria-label="ojm, now">
        <Mark />
        <span class="word">ojm</span>
      </a>
      <button type="button" class="find row" onClick={() => (paletteOpen.value = true)}>
        <Icon name="search" />
        <span class="word">Find</span>
        <span class="kbd" aria-hidden="true">
          Ctrl K
        </span>
      </button>
      <nav class="nav" aria-label="Pages">
        {PAGES.map((page) => (
          <a key={page.path} href={page.path} aria-current={page.part === part ? "page" : undefined} title={page.label}>
            <Icon name={page.icon} />
            <span class="word">{page.label}</span>
            {page.part === undefined && problems > 0 && (
              <span class="badge">
                {problems}
                <span class="hidden-text"> problems</span>
              </span>
            )}
          </a>
        ))}
      </nav>
      <Foot />
    </header>
  );
}

function Foot(): VNode {
  const who = me.value;
  return (
    <div class="foot">
      {who !== undefined && (
        <>
          <div class="row" title={who.store}>
            <span class="dot" data-state={connection.value.state}>
              {WORDS[connection.value.state]}
            </span>
            <span class="cut">{who.store}</span>
          </div>
          <div class="row">
            <span class="cut">
              {who.user} · {who.readOnly ? "read only" : who.role}
            </span>
            {who.signIn === "password" && (
              <button type="button" class="link" onClick={() => void signOut()}>
                Sign out
              </button>
            )}
          </div>
        </>
      )}
      <Tools />
    </div>
  );
}

const WORDS = { connecting: "Connecting", live: "Live", stale: "Stale", away: "Away", ended: "Signed out" } as const;

const Mark = (): VNode => (
  <svg viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" class="mark-back" />
    <circle cx="16" cy="16" r="8.5" class="mark-ring" />
    <path d="M16 7.5A8.5 8.5 0 0 1 24.5 16" class="mark-hand" />
    <circle cx="16" cy="16" r="2.5" class="mark-dot" />
  </svg>
);

/** A server that restarts is back within this time, in ms: do not alarm the user before that. */
const PATIENCE = 1_500;

/** Says that the shown data is old, why, and since when. */
function Banner(): VNode | null {
  const { state, since } = connection.value;
  const isOld = state === "stale" || state === "away";
  const late = useSignal(false);
  useEffect(() => {
    late.value = false;
    if (!isOld) return undefined;
    const timer = setTimeout(() => (late.value = true), PATIENCE);
    return () => clearTimeout(timer);
  }, [isOld, since]);
  if (signedOut.value) return <Expired />;
  if (!isOld || (state === "away" && !late.value)) return null;
  const who = state === "stale" ? "The store is not responding." : "The server is not responding.";
  return (
    <div class="banner row" role="status">
      <Icon name="away" />
      <b>
        Data from <Age since={since} /> ago, reconnecting.
      </b>
      <span>{who}</span>
    </div>
  );
}

/** A maintenance: of what, who started it, why, until when. */
const MaintenanceBar = ({ names, by, reason, until }: Now["maintenance"][number]): VNode => (
  <div class="banner row maintenance" role="status">
    <Icon name="held" />
    <b>Maintenance of {names === "*" ? "everything" : names}</b>
    <span>
      by {by}
      {until !== undefined && (
        <>
          {" "}
          until <Time at={until} />
        </>
      )}
      : {reason}
    </span>
    {may("end-maintenance") && (
      <button type="button" class="button" onClick={() => ask("end-maintenance", { name: names })}>
        End maintenance
      </button>
    )}
  </div>
);

/** Screen readers must not read it each second. */
const Age = ({ since }: { readonly since: number }): VNode => (
  <span aria-live="off">{elapsedText(second.value - since)}</span>
);

const ZONES = { local: "utc", utc: "job", job: "local" } as const;
const SHORT = { local: "Local", utc: "UTC", job: "Job" } as const;
const THEMES = { auto: "auto", light: "sun", dark: "moon" } as const;

function Tools(): VNode {
  const zone = zoneChoice.value;
  // Not in the first frame: a browser without Temporal takes some 30 ms to find it.
  const local = me.value === undefined ? "your time zone" : `your time zone (${localZone()})`;
  const said = { local, utc: "UTC", job: "the time zone of each job" }[zone];
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
      <ToolButton icon={THEMES[theme.value]} name={`Theme: ${theme.value}. Change`} onClick={nextTheme} />
      <ToolButton icon="keyboard" name="Keyboard shortcuts" onClick={() => (keysOpen.value = true)} />
    </div>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly name: string;
  readonly onClick: () => void;
}

const ToolButton = ({ icon, name, onClick }: ToolProps): VNode => (
  <button type="button" class="tool" aria-label={name} title={name} onClick={onClick}>
    <Icon name={icon} />
  </button>
);
