import { namesTheUser, revealsNoSecret } from "./secrets.contract.ts";

revealsNoSecret(12);
namesTheUser();
