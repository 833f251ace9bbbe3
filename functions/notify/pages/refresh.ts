/** Keeps an open page up to date: once a minute, it checks whether `status.json` is newer, and then reloads. */
import { Html, html } from "../../../shared/text/html.ts";

/** Script of every page that is written regularly. Without it, or opened as a file, a page does not change. */
export const refreshScript = `
(() => {
  const { status, at } = document.currentScript.dataset;
  if (!location.protocol.startsWith("http")) return;
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(status, { cache: "no-cache" });
      if (answer.ok && (await answer.json()).at !== at) location.reload();
    } catch {
      // Offline, or the page is being replaced: the next check will find out.
    }
  };
  setInterval(look, 60000);
  document.addEventListener("visibilitychange", look);
})();
`;

/**
 * Returns the script as an element.
 * @param status URL of `status.json` relative to the page
 * @param at the instant of the state that the page shows
 */
export function refreshElement(status: string, at: string): Html {
  return html`<script data-status="${status}" data-at="${at}">${new Html(refreshScript)}</script>`;
}
