/*
 * A click on a row follows its main link, which is the only target for the keyboard and for screen readers.
 * It is not a link laid over the row, because the text below it could not be selected.
 */

/** Elements that handle clicks themselves. */
const OWN = "a, button, input, select, textarea, label, summary, [role=menu]";

/** The main link of the row that was clicked outside its links and buttons. */
function linkOf({ target }: Event): HTMLElement | undefined {
  if (!(target instanceof Element) || target.closest(OWN) !== null) return undefined;
  const row = target.closest("main :is(tr, li)");
  const link = row?.querySelector<HTMLElement>("[data-row]");
  // The links in a row that contains a list belong to the rows of that list.
  return link?.closest("tr, li") === row ? (link ?? undefined) : undefined;
}

/** Lets a click on a row, outside its links, act like a click on its main link. */
export function followRows(): void {
  addEventListener("click", (event) => {
    const link = event.defaultPrevented ? undefined : linkOf(event);
    // A drag that selects text ends with a click.
    if (link === undefined || getSelection()?.isCollapsed === false) return;
    if (link instanceof HTMLAnchorElement && (event.ctrlKey || event.metaKey || event.shiftKey)) openTab(link);
    else if (!event.altKey) link.click();
  });
  addEventListener("mousedown", (event) => {
    // Otherwise the browser starts to scroll with the pointer.
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
