/** Helpers of the suites for stores. */
import { expect } from "vitest";
import type { StoreErrorCode } from "../ports.ts";

/** The error with which a promise is rejected, after making sure of its code. */
export async function refused(attempt: Promise<unknown>, code: StoreErrorCode): Promise<Error> {
  const error = await attempt.then(
    () => new Error("It was not refused"),
    (reason: Error) => reason,
  );
  expect(error).toMatchObject({ name: "StoreError", code });
  return error;
}
