import fc from "fast-check";

// A mutant is found by the first case that fails; looking for a smaller one would take until the time-out.
fc.configureGlobal({ endOnFailure: true });
