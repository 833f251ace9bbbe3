/**
 * Runs of the whole system depend on timing, so at most two run concurrently. Each file here is a lane that runs its tests in sequence. Both
 * lanes take about the same time.
 */
import "./google.ts";
import "./undisturbed.ts";
