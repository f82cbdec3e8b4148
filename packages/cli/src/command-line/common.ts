import type { OptionSpecs } from "./spec.js";

/** Which store a command looks at. */
export const STORE: OptionSpecs = {
  store: {
    value: "STORE",
    common: true,
    text: "redis://HOST, sqlite:FILE, etcd://HOST,HOST, level:FOLDER or a job file. A relative path begins at the working folder. Default: OJM_STORE, then OJM_CONFIG, then ojm.config.{json,yaml}",
  },
  profile: { value: "NAME", common: true, text: "the store of this profile of ojm.config" },
};

/** Whether a command writes colors. */
export const COLOR: OptionSpecs = {
  color: {
    value: "WHEN",
    choices: ["auto", "always", "never"],
    common: true,
    text: "colors: auto (default: on a terminal without NO_COLOR), always or never",
  },
};

/** How a command shows what it found. */
export const OUTPUT: OptionSpecs = {
  json: { common: true, text: "print JSON" },
  jsonl: { common: true, text: "print a line of JSON for each item" },
  time: {
    value: "HOW",
    choices: ["relative", "iso", "local"],
    common: true,
    text: "times as relative (default on a terminal), iso (default elsewhere) or local",
  },
  ...COLOR,
};

/** Why something is taken from somebody. */
export const REASON: OptionSpecs = {
  reason: { value: "TEXT", text: "why, for those whom it affects. Asked for on a terminal" },
};
