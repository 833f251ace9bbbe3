/** When a run is to end: asked by a signal, or because npm, which started it, has gone. */

/**
 * Window in which repeated signals count as one request, in milliseconds. npm forwards a Ctrl-C that the terminal has already sent to this
 * process.
 */
const sameRequestMs = 1_000;
/** Interval between checks that npm is still running, in milliseconds. */
const lookMs = 500;

/** Signals that request the end. SIGHUP is sent when a terminal window closes. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Returns a signal that is aborted by the first request to end. Whoever asks again does not want to wait.
 * @param again called for each further request
 */
export function interruption(again: () => void): AbortSignal {
  const controller = new AbortController();
  let askedAt = Number.NEGATIVE_INFINITY;
  const ask = (): void => {
    const now = performance.now();
    const isAgain = controller.signal.aborted && now - askedAt > sameRequestMs;
    if (!controller.signal.aborted) askedAt = now;
    controller.abort();
    if (isAgain) again();
  };
  for (const signal of signals) process.on(signal, ask);
  // Some shells do not pass on the signal that npm sends them, and a killed npm passes on none.
  if (process.env["npm_lifecycle_event"] !== undefined) {
    // The shell that npm starts has noted its parent, because npm may be gone before this process has begun.
    const parent = Number(process.env["PATHKEEPER_STARTED_BY"]) || process.ppid;
    const look = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(look);
      controller.abort();
    }, lookMs).unref();
  }
  return controller.signal;
}
