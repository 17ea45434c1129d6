/** Whole clusters of production code in one thread, under virtual time, with faults from a seed. Never part of a release. */
export {};
