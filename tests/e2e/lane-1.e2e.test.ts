/**
 * Runs of the whole system keep time, so that only two of them run beside each other: each file of tests here is a lane, in which one run
 * follows the other. Both lanes take about as long.
 */
import "./google.ts";
import "./undisturbed.ts";
