import "virtual:palette.css";
import "./css/base.css";
import "./css/shell.css";
import "./css/parts.css";
import "./css/screens.css";
import { render } from "preact";
import { followLinks } from "./app/router.js";
import { enter, enterAgainWhenSeen } from "./app/session.js";
import { Shell } from "./app/shell.js";
import { applyTheme } from "./app/theme.js";
import { listenToKeys } from "./palette/keys.js";
import { followRows } from "./parts/lists/row-clicks.js";
import { keepScroll } from "./parts/steady/scroll.js";

applyTheme();
followLinks();
keepScroll();
followRows();
listenToKeys();
enterAgainWhenSeen();
void enter();
const app = document.getElementById("app");
// Remove the placeholder of index.html.
app?.replaceChildren();
if (app !== null) render(<Shell />, app);
