/** One deliberate mistake in the Terraform module. */

/** One mistake each, made in our own files: all of them must be found. `found` is what the checks without terraform say; without it only terraform finds it. */
export interface Mutation {
  readonly what: string;
  readonly file: string;
  /** A text that the file has exactly once. */
  readonly from: string;
  readonly to: string;
  readonly found?: RegExp;
}
