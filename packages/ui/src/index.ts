/** The UI of ojm in a browser: mounted in a server, or served on its own. */
export { openUi } from "./create-ui.js";
export { incomingOf } from "./listener.js";
export { addUiUser } from "./security/users.js";
export { openUiServer } from "./serve-ui.js";
export type {
  OtherReason,
  RequestSource,
  Role,
  Ui,
  UiOptions,
  UiServer,
  UiServerOptions,
  Viewer,
  ViewOptions,
} from "./types.js";
