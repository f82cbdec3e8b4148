import type { VNode } from "preact";
import { ActDialog } from "../acts/act-dialog.js";
import { useJobZones } from "../live/job-zones.js";
import { connection, now } from "../live/live.js";

import { keysOpen } from "../palette/keys.js";
import { KeysDialog } from "../palette/keys-dialog.js";
import { Palette, paletteOpen } from "../palette/palette.js";
import { Icon } from "../parts/icon.js";
import { Full } from "../parts/pictures.js";
import { Toasts } from "../parts/toasts.js";
import { Banner } from "./banner.js";
import { me, signedOut } from "./me.js";
import { PAGES, place, to } from "./router.js";
import { Screen } from "./screen.js";
import { Tools } from "./tools.js";

/** The whole window: the list of pages, and the current page. */
export function Shell(): VNode {
  useJobZones();
  const isOld = connection.value.state === "stale" || connection.value.state === "away";
  return (
    <div class={isOld ? "shell old" : "shell"}>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>("h1")?.focus()}>
        Skip to the page
      </button>
      <Side />
      <main class="main">
        {signedOut.value && me.value === undefined ? (
          <SignedOut />
        ) : (
          <>
            <Banner />
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
      <button type="button" class="find" onClick={() => (paletteOpen.value = true)}>
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
            <Connection />
            <span class="cut">{who.store}</span>
          </div>
          <div class="row">
            <span class="cut">
              {who.user} · {who.readOnly ? "read only" : who.role}
            </span>
          </div>
        </>
      )}
      <Tools onKeys={() => (keysOpen.value = true)} />
    </div>
  );
}

const WORDS = { connecting: "Connecting", live: "Live", stale: "Stale", away: "Away", ended: "Signed out" } as const;

const Connection = (): VNode => (
  <span class="dot" data-state={connection.value.state}>
    {WORDS[connection.value.state]}
  </span>
);

const Mark = (): VNode => (
  <svg viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" class="mark-back" />
    <circle cx="16" cy="16" r="8.5" class="mark-ring" />
    <path d="M16 7.5A8.5 8.5 0 0 1 24.5 16" class="mark-hand" />
    <circle cx="16" cy="16" r="2.5" class="mark-dot" />
  </svg>
);

const SignedOut = (): VNode => (
  <Full icon="locks" title="You are signed out" alone>
    <p>
      This page needs a fresh address: run <code>ojm ui</code> and open the one that it prints. An address is of use
      once, within a minute. If the pages are part of another program, sign in there.
    </p>
  </Full>
);
