/** One deliberate mistake in the Terraform module. */

/**
 * One mistake in our own files, which must be found. `found` is the finding of the checks without Terraform; without it, only Terraform
 * finds the mistake.
 */
export interface Mutation {
  readonly what: string;
  readonly file: string;
  /** A text that occurs exactly once in the file. */
  readonly from: string;
  readonly to: string;
  readonly found?: RegExp;
}
