/** More secrets in more encodings than `npm test` has time for. */
import { revealsNoSecret } from "./secrets.contract.ts";

revealsNoSecret(100);
