/** Outages that teams have reported in public. */
import { declareScenarios, isLong, isReported } from "./corpus.ts";

declareScenarios((scenario, file) => isReported(file) && !isLong(scenario));
