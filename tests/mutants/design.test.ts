import { design } from "./design.ts";
import { defineSuite } from "./suite.ts";

defineSuite(design);
