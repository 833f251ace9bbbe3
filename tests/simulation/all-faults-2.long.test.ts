import { declareAllFaults } from "./simulation.ts";

declareAllFaults(2);
