/** Every scenario under other names. */
import { corpus, scenariosOf } from "./corpus.ts";
import { declareShuffled } from "./shuffled.ts";

declareShuffled(corpus.flatMap(scenariosOf));
