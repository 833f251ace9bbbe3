import { expect, it } from "vitest";
import { openProgress } from "./progress.ts";

it.each([
  [
    "is one line in place on a terminal, never so long that it wraps",
    true,
    ["\rone\x1b[K", "\rtwo and mo\x1b[K", "\r\x1b[K"],
  ],
  ["is nothing in a pipe", false, []],
])("progress %s", (_, isTTY, written) => {
  const texts: string[] = [];
  const progress = openProgress({ isTTY, columns: 11, write: (text) => texts.push(text) });
  progress.show("one");
  progress.show("one");
  progress.show("two and more than fits");
  progress.clear();
  progress.clear();
  expect(texts).toEqual(written);
});
