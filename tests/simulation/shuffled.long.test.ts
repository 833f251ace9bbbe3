/** The scenarios under other names: a tenth of them, and all in `npm run simulate`. */
import { corpus, scenariosOf } from "../scenarios/corpus.ts";
import { declareShuffled } from "../scenarios/shuffled.ts";
import { seed } from "../support/seed.ts";

const share = process.env["PATHKEEPER_SIMULATION_RUNS"] === undefined ? 10 : 1;

declareShuffled(corpus.flatMap(scenariosOf).filter((_, index) => index % share === seed % share));
