/** The UI of ojm in a browser: mounted in a server, or served on its own. */
export { createUi } from "./create-ui.js";
export { serveUi } from "./serve-ui.js";
export type {
  OtherReason,
  RequestSource,
  Role,
  ServedUi,
  ServeOptions,
  Ui,
  UiOptions,
  Viewer,
  ViewOptions,
} from "./types.js";
