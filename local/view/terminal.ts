/** The shell of the live view: draws frames in place on a terminal, and writes lines of changes on a dumb one and into anything else. */
import type { WriteStream } from "node:tty";
import { renderChanges } from "./changes.ts";
import { render } from "./render.ts";
import type { ViewSnapshot } from "./snapshot.ts";

/** An open view. */
export interface View {
  /** Shows the snapshot, soon: at most four frames a second are drawn. */
  update(snapshot: ViewSnapshot): void;
  /** Gives the terminal back as it was, with the last frame left on it. */
  close(): void;
}

/** Output of the view: a terminal, or any text stream. */
export type ViewStream = Pick<WriteStream, "write"> &
  Partial<Pick<WriteStream, "isTTY" | "columns" | "rows" | "hasColors">>;

/** Opens the view that suits the stream. @param term the kind of the terminal, `$TERM`; a dumb one cannot be drawn on */
export function openView(stream: ViewStream, term?: string): View {
  return stream.isTTY && term !== "dumb" ? openLive(stream) : openLines(stream);
}

const frameMs = 250;

// Another screen keeps what stood on the terminal; without wrapping, no character of unexpected width can break the layout.
const enter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";
// A synchronized update is shown at once by terminals that know it, and the others ignore it.
const beginFrame = "\x1b[?2026h\x1b[H";
const endFrame = "\x1b[J\x1b[?2026l";

function openLive(stream: ViewStream): View {
  const colour = stream.hasColors?.() ?? false;
  let latest: ViewSnapshot | undefined;
  let drawn = "";
  let drawnAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const frame = (snapshot: ViewSnapshot): string =>
    render(snapshot, { columns: stream.columns ?? 80, rows: stream.rows ?? 24 }, colour);
  const draw = (): void => {
    timer = undefined;
    if (!latest) return;
    drawnAt = performance.now();
    const next = frame(latest);
    if (next === drawn) return;
    drawn = next;
    stream.write(`${beginFrame}${next.replaceAll("\n", "\x1b[K\r\n")}\x1b[K${endFrame}`);
  };
  // Also on an exit that nobody planned, the cursor comes back.
  const restore = (): void => {
    stream.write(leave);
  };
  process.once("exit", restore);
  stream.write(enter);
  return {
    update: (snapshot) => {
      latest = snapshot;
      timer ??= setTimeout(draw, Math.max(0, drawnAt + frameMs - performance.now()));
    },
    close: () => {
      clearTimeout(timer);
      process.off("exit", restore);
      restore();
      if (latest) stream.write(`${frame(latest)}\n`);
    },
  };
}

function openLines(stream: ViewStream): View {
  let previous: ViewSnapshot | undefined;
  return {
    update: (snapshot) => {
      for (const line of renderChanges(previous, snapshot)) stream.write(`${line}\n`);
      previous = snapshot;
    },
    close: () => {},
  };
}
