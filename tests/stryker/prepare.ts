// Stryker runs it once, in its copy of the project: the tests of the sessions table want a table.
import "../support/declared.ts";
