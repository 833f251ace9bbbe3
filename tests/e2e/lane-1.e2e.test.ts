/**
 * Runs of the whole system keep time, so that only three of them run beside each other: each file of tests here is a lane, in which one run
 * follows the other.
 */
import "./google.ts";
import "./disturbed.ts";
