/** How a page that is open in a browser stays up to date: it asks once a minute whether `status.json` is newer, and is loaded anew then. */
import { Html, html } from "../../../shared/text/html.ts";

/** The script of every page that is written regularly. Without it, or opened as a file, a page stays as it is. */
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
      // Offline, or the page is being replaced: the next look finds out.
    }
  };
  setInterval(look, 60000);
  document.addEventListener("visibilitychange", look);
})();
`;

/** Returns the script as an element. @param status where the page finds `status.json` @param at the instant of the state that it shows */
export function refreshElement(status: string, at: string): Html {
  return html`<script data-status="${status}" data-at="${at}">${new Html(refreshScript)}</script>`;
}
