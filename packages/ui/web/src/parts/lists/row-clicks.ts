/*
 * A row of a list is the target of a click, and its main link the one thing for the keyboard and for screen
 * readers. Not a link that is laid over the row: the text below it could not be selected.
 */

/** What takes a click for itself. */
const OWN = "a, button, input, select, textarea, label, summary, [role=menu]";

/** The main link of the row that was clicked beside its links and buttons. */
function linkOf({ target }: Event): HTMLElement | undefined {
  if (!(target instanceof Element) || target.closest(OWN) !== null) return undefined;
  const row = target.closest("main :is(tr, li)");
  const link = row?.querySelector<HTMLElement>("[data-row]");
  // A row that holds a list has links, but of the rows in that list.
  return link?.closest("tr, li") === row ? (link ?? undefined) : undefined;
}

/** Lets a click beside the links of a row do what it does on its main link. */
export function followRows(): void {
  addEventListener("click", (event) => {
    const link = event.defaultPrevented ? undefined : linkOf(event);
    // A drag that selects text ends with a click.
    if (link === undefined || getSelection()?.isCollapsed === false) return;
    if (link instanceof HTMLAnchorElement && (event.ctrlKey || event.metaKey || event.shiftKey)) openTab(link);
    else if (!event.altKey) link.click();
  });
  addEventListener("mousedown", (event) => {
    // Else the browser begins to scroll by the pointer.
    if (event.button === 1 && linkOf(event) !== undefined) event.preventDefault();
  });
  addEventListener("auxclick", (event) => {
    const link = event.button === 1 ? linkOf(event) : undefined;
    if (link instanceof HTMLAnchorElement) openTab(link);
  });
}

function openTab({ href }: HTMLAnchorElement): void {
  open(href, "_blank", "noopener");
}
